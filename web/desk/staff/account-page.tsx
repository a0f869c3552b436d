import { type ReactNode, useState } from 'react'
import { call } from '../../ui/api.ts'
import { Button } from '../../ui/button.tsx'
import { Facts, Page } from '../../ui/page.tsx'
import { Trouble } from '../../ui/trouble.tsx'
import { useStaffSession } from '../session.ts'
import { useWords } from '../words.ts'
import { AuthenticatorPart } from './authenticator-part.tsx'
import { CodesPage } from './codes-page.tsx'
import { roleKey, roleTextKey } from './model.ts'
import { PasskeysPart } from './passkeys-part.tsx'
import { PasswordPart } from './password-part.tsx'
import { RecoveryPart } from './recovery-part.tsx'
import { SessionsPart } from './sessions-part.tsx'
import { SsoPart } from './sso-part.tsx'
import style from './staff.module.css'

/** Who I am here, my ways to sign in, where I am signed in. */
export function AccountPage(): ReactNode {
  const { t } = useWords()
  const { session } = useStaffSession()
  const [isBusy, setIsBusy] = useState(false)
  const [problem, setProblem] = useState<unknown>()
  const [codes, setCodes] = useState<readonly string[]>()
  if (session === undefined || session === null) return null
  const { id, login, name, role, registration, hasPassword } = session.staff
  if (codes !== undefined)
    return <CodesPage codes={codes} login={login} facility={session.facility.name} onDone={() => setCodes(undefined)} />
  const signOut = async (): Promise<void> => {
    setIsBusy(true)
    try {
      await call('/v1/session', { method: 'DELETE' })
      // Anew from the server: nothing of what was read stays in this page.
      location.assign('/desk/sign-in')
    } catch (error) {
      setIsBusy(false)
      setProblem(error)
    }
  }
  return (
    <Page
      title={t('staff.account')}
      actions={
        <Button icon="signOut" isBusy={isBusy} onClick={() => void signOut()}>
          {t('staff.sign-out')}
        </Button>
      }
    >
      {problem === undefined ? null : <Trouble error={problem} />}
      <div className={style.narrow}>
        <Facts
          rows={[
            [t('staff.name'), <bdi key="name">{name}</bdi>],
            [t('staff.login'), <bdi key="login">{login}</bdi>],
            [t('staff.role'), t(roleKey(role))],
            ...(registration === undefined
              ? []
              : [[t('staff.registration'), <bdi key="registration">{registration}</bdi>] as const]),
            [t('staff.what-you-may'), t(roleTextKey(role))],
          ]}
        />
        <PasskeysPart staff={id} />
        {hasPassword ? <PasswordPart login={login} name={name} facility={session.facility.name} /> : null}
        {hasPassword ? <AuthenticatorPart staff={id} /> : null}
        <RecoveryPart staff={id} onCodes={setCodes} />
        <SsoPart staff={id} />
        <SessionsPart />
      </div>
    </Page>
  )
}
