import type { ReactNode } from 'react'
import { BROKEN_LINE, Problem } from './api.ts'
import { Button } from './button.tsx'
import { Banner } from './state.tsx'
import { useAnyWords } from './words.tsx'

/**
 * An error as a sentence: what happened, what is safe, what to do now; the code stands small at the end for support. Screens that know a
 * code better give their own words in `says`.
 */
export function Trouble(props: {
  readonly error: unknown
  readonly says?: Readonly<Record<string, string>>
  readonly onAgain?: () => void
}): ReactNode {
  const { t, tn } = useAnyWords()
  const { error, says = {}, onAgain } = props
  const problem = error instanceof Problem ? error : undefined
  const own = problem === undefined ? undefined : says[problem.code]
  const words =
    own ??
    (problem?.code === BROKEN_LINE
      ? t('common.line-broke')
      : problem?.retryAfterSeconds !== undefined
        ? tn('common.too-often', problem.retryAfterSeconds)
        : problem?.status === 403
          ? t('common.not-allowed')
          : problem?.status === 404
            ? t('common.not-found')
            : t('common.broke'))
  return (
    <Banner tone="stopped" icon="warning" isAlert title={words}>
      {onAgain === undefined ? null : (
        <div>
          <Button icon="refresh" onClick={onAgain}>
            {t('common.again')}
          </Button>
        </div>
      )}
      {problem === undefined || problem.code === BROKEN_LINE ? null : (
        <small>
          <bdi>{[problem.code, problem.trace].filter(Boolean).join(' · ')}</bdi>
        </small>
      )}
    </Banner>
  )
}
