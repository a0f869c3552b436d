import { useQueryClient } from '@tanstack/react-query'
import { type ReactNode, useCallback, useEffect, useRef, useState } from 'react'
import { useLocation } from 'wouter'
import { call } from '../../ui/api.ts'
import { Button, ButtonLink } from '../../ui/button.tsx'
import { Page } from '../../ui/page.tsx'
import { Waiting } from '../../ui/state.tsx'
import { Trouble } from '../../ui/trouble.tsx'
import { useStaffSession } from '../session.ts'
import { useWords } from '../words.ts'
import { CodeStep } from './code-step.tsx'

/** What single sign-on may hear. */
export function useSsoFaults(): Readonly<Record<string, string>> {
  const { t } = useWords()
  return {
    'staff/sso-unavailable': t('account.sso-unavailable'),
    'staff/sso-refused': t('account.sso-refused'),
    'staff/sso-not-linked': t('account.sso-not-linked'),
    'staff/sso-needs-passkey': t('account.sso-needs-passkey'),
    'staff/sso-taken': t('account.sso-taken'),
    'staff/suspended': t('staff.suspended'),
  }
}

/** To the provider of the facility, and back to {@link SsoPage}. */
export function SsoDoor(props: { readonly name: string; readonly onProblem: (problem: unknown) => void }): ReactNode {
  const { t } = useWords()
  const [isBusy, setIsBusy] = useState(false)
  const leave = async (): Promise<void> => {
    setIsBusy(true)
    props.onProblem(undefined)
    try {
      const { url } = await call<{ readonly url: string }>('/v1/desk/sign-in/sso', { method: 'POST' })
      location.assign(url)
    } catch (error) {
      setIsBusy(false)
      props.onProblem(error)
    }
  }
  return (
    <Button icon="hospital" isWide isBusy={isBusy} onClick={() => void leave()}>
      {t('account.sso-with', { name: props.name })}
    </Button>
  )
}

type SignedIn = { readonly csrf: string } | { readonly ticket: string }

/** Where the provider sends the browser back to: hands its answer to the server, once, and goes on. */
export function SsoPage(): ReactNode {
  const { t } = useWords()
  const { session, renew } = useStaffSession()
  const client = useQueryClient()
  const [, go] = useLocation()
  const says = useSsoFaults()
  const [ticket, setTicket] = useState<string>()
  const [problem, setProblem] = useState<unknown>()
  const isHanded = useRef(false)
  const isLinking = session !== undefined && session !== null
  const onIn = useCallback(async (): Promise<void> => {
    client.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== 'session' })
    await renew()
    go('/', { replace: true })
  }, [client, renew, go])
  const hand = useCallback(
    async (query: string): Promise<void> => {
      if (query === '') return go('/', { replace: true })
      if (isLinking) {
        await call('/v1/desk/me/sso/answer', { body: { query } })
        return go('/account', { replace: true })
      }
      const answer = await call<SignedIn>('/v1/desk/sign-in/sso/answer', { body: { query } })
      if ('ticket' in answer) setTicket(answer.ticket)
      else await onIn()
    },
    [isLinking, onIn, go],
  )
  useEffect(() => {
    if (isHanded.current || session === undefined) return
    isHanded.current = true
    const query = location.search.slice(1)
    // The answer is good once; it need not stand in the address or the history.
    history.replaceState(null, '', location.pathname)
    hand(query).catch(setProblem)
  }, [session, hand])
  if (ticket !== undefined) return <CodeStep ticket={ticket} onIn={onIn} onAgain={() => go('/sign-in')} />
  if (problem === undefined) return <Waiting>{t('common.loading')}</Waiting>
  return (
    <Page title={t('account.sso-failed')}>
      <Trouble error={problem} says={says} />
      <div>
        <ButtonLink to={isLinking ? '/account' : '/sign-in'} look="primary" icon="back">
          {isLinking ? t('staff.account') : t('staff.begin-again')}
        </ButtonLink>
      </div>
    </Page>
  )
}
