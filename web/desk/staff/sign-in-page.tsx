import { useQueryClient } from '@tanstack/react-query'
import { type ReactNode, useState } from 'react'
import { call } from '../../ui/api.ts'
import { Button } from '../../ui/button.tsx'
import { Page } from '../../ui/page.tsx'
import { type AskedPasskey, answerPasskey, hasPasskeys, isGivenUp } from '../../ui/passkey.ts'
import { useCall } from '../../ui/query.tsx'
import { Banner } from '../../ui/state.tsx'
import { Trouble } from '../../ui/trouble.tsx'
import { useStaffSession } from '../session.ts'
import { useWords } from '../words.ts'
import { CodeStep } from './code-step.tsx'
import { PasswordDoor } from './password-door.tsx'
import { type Sample, SampleStaff } from './sample-staff.tsx'
import { SsoDoor } from './sso-door.tsx'
import style from './staff.module.css'

type Door = {
  readonly facility: { readonly name: string }
  readonly sandbox: boolean
  readonly sso?: { readonly name: string }
}
type RequestOptions = Parameters<typeof answerPasskey>[0]

/** The door of the desk: login and password, then the code; or a passkey. */
export function SignInPage(props: { readonly wasSignedOut: boolean }): ReactNode {
  const { renew } = useStaffSession()
  const client = useQueryClient()
  const onIn = async (): Promise<void> => {
    // What the person before her saw is not hers.
    client.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== 'session' })
    await renew()
  }
  const [sample, setSample] = useState<Sample>()
  const [ticket, setTicket] = useState<string>()
  if (ticket !== undefined)
    return (
      <CodeStep
        ticket={ticket}
        {...(sample === undefined ? {} : { sample })}
        onIn={onIn}
        onAgain={() => setTicket(undefined)}
      />
    )
  return (
    <FirstStep
      wasSignedOut={props.wasSignedOut}
      sample={sample}
      onSample={setSample}
      onTicket={(given, login) => {
        if (login !== sample?.login) setSample(undefined)
        setTicket(given)
      }}
      onIn={onIn}
    />
  )
}

function FirstStep(props: {
  readonly wasSignedOut: boolean
  readonly sample: Sample | undefined
  readonly onSample: (sample: Sample) => void
  readonly onTicket: (ticket: string, login: string) => void
  readonly onIn: () => Promise<void>
}): ReactNode {
  const { t } = useWords()
  const { data: door } = useCall<Door>('/v1/desk/sign-in')
  const [problem, setProblem] = useState<unknown>()
  const { sample, onSample, onTicket } = props
  return (
    <Page title={t('staff.sign-in-at', { facility: door?.facility.name ?? t('desk.name') })}>
      {props.wasSignedOut ? (
        <Banner tone="waiting" title={t('staff.signed-out')}>
          <p>{t('staff.signed-out-text')}</p>
        </Banner>
      ) : (
        <p>{t('staff.intro')}</p>
      )}
      {problem === undefined ? null : (
        <Trouble
          error={problem}
          says={{
            'staff/suspended': t('staff.suspended'),
            'people/passkey-refused': t('staff.passkey-refused'),
            'people/unknown-sign-in': t('staff.code-spent'),
            'staff/sso-unavailable': t('account.sso-unavailable'),
          }}
        />
      )}
      <PasswordDoor key={sample?.login} sample={sample} onTicket={onTicket} onProblem={setProblem} />
      {hasPasskeys() || door?.sso !== undefined ? <p className={style.or}>{t('staff.or')}</p> : null}
      {door?.sso === undefined ? null : <SsoDoor name={door.sso.name} onProblem={setProblem} />}
      {hasPasskeys() ? <PasskeyDoor onIn={props.onIn} onProblem={setProblem} /> : null}
      {door?.sandbox ? (
        <SampleStaff
          onChosen={(chosen) => {
            setProblem(undefined)
            onSample(chosen)
          }}
        />
      ) : null}
    </Page>
  )
}

function PasskeyDoor(props: {
  readonly onIn: () => Promise<void>
  readonly onProblem: (problem: unknown) => void
}): ReactNode {
  const { t } = useWords()
  const [isBusy, setIsBusy] = useState(false)
  const enter = async (): Promise<void> => {
    setIsBusy(true)
    props.onProblem(undefined)
    try {
      const asked = await call<AskedPasskey<RequestOptions>>('/v1/desk/sign-in/passkey', { method: 'POST' })
      const assertion = await answerPasskey(asked.options)
      await call(`/v1/desk/sign-in/passkey/${asked.id}`, { body: { assertion } })
      await props.onIn()
    } catch (error) {
      setIsBusy(false)
      if (!isGivenUp(error)) props.onProblem(error)
    }
  }
  return (
    <Button icon="key" isWide isBusy={isBusy} onClick={() => void enter()}>
      {t('staff.with-passkey')}
    </Button>
  )
}
