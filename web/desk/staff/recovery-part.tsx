import { useQueryClient } from '@tanstack/react-query'
import { type ReactNode, useState } from 'react'
import { call } from '../../ui/api.ts'
import { Button, ButtonRow } from '../../ui/button.tsx'
import { useDates } from '../../ui/dates.ts'
import { Part } from '../../ui/page.tsx'
import { useCall } from '../../ui/query.tsx'
import { Banner } from '../../ui/state.tsx'
import { useStepUp } from '../../ui/step-up.tsx'
import { Trouble } from '../../ui/trouble.tsx'
import { useWords } from '../words.ts'

type Recovery = { readonly left: number; readonly madeAt?: string; readonly lastUsedAt?: string }
const FEW = 3

/** Her recovery codes: how many are left, and new ones, which {@link CodesPage} shows once. */
export function RecoveryPart(props: {
  readonly staff: string
  readonly onCodes: (codes: readonly string[]) => void
}): ReactNode {
  const { t, tn } = useWords()
  const dates = useDates()
  const prove = useStepUp()
  const client = useQueryClient()
  const { data: recovery, error } = useCall<Recovery>('/v1/desk/me/recovery-codes')
  const [problem, setProblem] = useState<unknown>()
  const make = async (): Promise<void> => {
    setProblem(undefined)
    try {
      const stepUp = await prove('recovery.make', props.staff)
      if (stepUp === undefined) return
      const made = await call<{ readonly codes: readonly string[] }>('/v1/desk/me/recovery-codes', { body: { stepUp } })
      await client.invalidateQueries()
      props.onCodes(made.codes)
    } catch (fault) {
      setProblem(fault)
    }
  }
  return (
    <Part title={t('account.recovery')}>
      <p>{t('account.recovery-text')}</p>
      {error === null ? null : <Trouble error={error} />}
      {problem === undefined ? null : <Trouble error={problem} />}
      {recovery?.lastUsedAt === undefined ? null : (
        <Banner tone="waiting" title={t('account.recovery-used', { moment: dates.moment(recovery.lastUsedAt) })}>
          <p>{t('account.recovery-used-text')}</p>
        </Banner>
      )}
      {recovery === undefined ? null : recovery.madeAt === undefined ? (
        <p>{t('account.recovery-none')}</p>
      ) : (
        <p>
          {tn('account.recovery-left', recovery.left, { made: dates.day(recovery.madeAt) })}{' '}
          {recovery.left <= FEW ? t('account.recovery-few') : null}
        </p>
      )}
      <ButtonRow>
        <Button icon="record" onClick={() => void make()}>
          {recovery?.madeAt === undefined ? t('account.recovery-make') : t('account.recovery-renew')}
        </Button>
      </ButtonRow>
    </Part>
  )
}
