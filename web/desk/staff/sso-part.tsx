import { useQueryClient } from '@tanstack/react-query'
import { type ReactNode, useState } from 'react'
import { call } from '../../ui/api.ts'
import { Button, ButtonRow } from '../../ui/button.tsx'
import { useDates } from '../../ui/dates.ts'
import { Part } from '../../ui/page.tsx'
import { useCall } from '../../ui/query.tsx'
import { useStepUp } from '../../ui/step-up.tsx'
import { Trouble } from '../../ui/trouble.tsx'
import { useWords } from '../words.ts'
import { useSsoFaults } from './sso-door.tsx'

type Sso = {
  readonly provider: { readonly name: string } | null
  readonly link: { readonly linkedAt: string; readonly usedAt?: string } | null
}

/** Whether the single sign-on of the facility lets her in; nothing where there is none. */
export function SsoPart(props: { readonly staff: string }): ReactNode {
  const { t } = useWords()
  const dates = useDates()
  const prove = useStepUp()
  const client = useQueryClient()
  const says = useSsoFaults()
  const { data: sso } = useCall<Sso>('/v1/desk/me/sso')
  const [isBusy, setIsBusy] = useState(false)
  const [problem, setProblem] = useState<unknown>()
  if (sso === undefined || sso.provider === null) return null
  const { name } = sso.provider
  const attempt = async (work: () => Promise<void>): Promise<void> => {
    setProblem(undefined)
    setIsBusy(true)
    try {
      await work()
    } catch (error) {
      setProblem(error)
    } finally {
      setIsBusy(false)
    }
  }
  const link = async (): Promise<void> => {
    const stepUp = await prove('sso.link', props.staff)
    if (stepUp === undefined) return
    const { url } = await call<{ readonly url: string }>('/v1/desk/me/sso', { body: { stepUp } })
    location.assign(url)
  }
  const unlink = async (): Promise<void> => {
    await call('/v1/desk/me/sso', { method: 'DELETE' })
    await client.invalidateQueries()
  }
  return (
    <Part title={t('account.sso', { name })}>
      {problem === undefined ? null : <Trouble error={problem} says={says} />}
      <p>
        {sso.link === null
          ? t('account.sso-unlinked')
          : t('account.sso-linked', { since: dates.day(sso.link.linkedAt) })}
      </p>
      <ButtonRow>
        {sso.link === null ? (
          <Button icon="hospital" isBusy={isBusy} onClick={() => void attempt(link)}>
            {t('account.sso-link')}
          </Button>
        ) : (
          <Button icon="cross" isBusy={isBusy} onClick={() => void attempt(unlink)}>
            {t('account.sso-unlink')}
          </Button>
        )}
      </ButtonRow>
    </Part>
  )
}
