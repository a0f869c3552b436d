import { useQueryClient } from '@tanstack/react-query'
import { type ReactNode, useState } from 'react'
import { STAFF_ROLES, type StaffRole } from '../../../src/kernel/staff-role.ts'
import { parseStaffRole } from '../../../src/people/staff.ts'
import { call } from '../../ui/api.ts'
import { Button, ButtonRow } from '../../ui/button.tsx'
import { SelectField } from '../../ui/fields.tsx'
import { useCall } from '../../ui/query.tsx'
import { Sheet } from '../../ui/sheet.tsx'
import { useStepUp } from '../../ui/step-up.tsx'
import { Trouble } from '../../ui/trouble.tsx'
import { type DeskKey, useWords } from '../words.ts'
import { InvitedPart } from './invited-part.tsx'
import { type Invited, roleKey, roleTextKey, type StaffRow } from './model.ts'
import style from './staff.module.css'

type Verb = 'role' | 'suspend' | 'restore' | 'again' | 'reset' | 'leave' | 'signOut' | 'sso'
type Words = { readonly name: DeskKey; readonly text: DeskKey; readonly now: DeskKey; readonly isGrave: boolean }

const WORDS: Readonly<Record<Verb, Words>> = {
  role: {
    name: 'staff.change-role',
    text: 'staff.change-role-text',
    now: 'staff.change-role-now',
    isGrave: false,
  },
  suspend: { name: 'staff.suspend', text: 'staff.suspend-text', now: 'staff.suspend-now', isGrave: true },
  restore: { name: 'staff.restore', text: 'staff.restore-text', now: 'staff.restore-now', isGrave: false },
  again: { name: 'staff.again', text: 'staff.again-text', now: 'staff.again-now', isGrave: false },
  reset: { name: 'staff.reset', text: 'staff.reset-text', now: 'staff.reset-now', isGrave: true },
  signOut: {
    name: 'account.end-person',
    text: 'account.end-person-text',
    now: 'account.end-person-now',
    isGrave: false,
  },
  sso: { name: 'account.permit-sso', text: 'account.permit-sso-text', now: 'account.permit-sso', isGrave: false },
  leave: { name: 'staff.leave', text: 'staff.leave-text', now: 'staff.leave-now', isGrave: true },
}
/** What may be done with an account of each status. */
const VERBS: Readonly<Record<StaffRow['status'], readonly Verb[]>> = {
  invited: ['again', 'role', 'leave'],
  active: ['role', 'signOut', 'sso', 'reset', 'suspend', 'leave'],
  suspended: ['role', 'restore', 'leave'],
  left: [],
}

/** Changing the account of a person: what first, then its consequence, then the proof that it is the administrator who does it. */
export function PersonSheet(props: { readonly person: StaffRow; readonly onClose: () => void }): ReactNode {
  const { t } = useWords()
  const { person, onClose } = props
  const [verb, setVerb] = useState<Verb>()
  const [invited, setInvited] = useState<Invited>()
  const hasSso = useCall<{ readonly sso?: object }>('/v1/desk/sign-in').data?.sso !== undefined
  return (
    <Sheet title={t('staff.change-person', { name: person.name })} onClose={onClose}>
      {invited !== undefined ? (
        <InvitedPart name={person.name} invited={invited} onClose={onClose} />
      ) : verb === undefined ? (
        <ButtonRow>
          {VERBS[person.status]
            .filter((each) => each !== 'sso' || hasSso)
            .map((each) => (
              <Button key={each} onClick={() => setVerb(each)}>
                {t(WORDS[each].name)}
              </Button>
            ))}
        </ButtonRow>
      ) : (
        <Consequence
          person={person}
          verb={verb}
          onBack={() => setVerb(undefined)}
          onDone={(made) => (made === undefined ? onClose() : setInvited(made))}
        />
      )}
    </Sheet>
  )
}

function Consequence(props: {
  readonly person: StaffRow
  readonly verb: Verb
  readonly onBack: () => void
  readonly onDone: (invited: Invited | undefined) => void
}): ReactNode {
  const { t } = useWords()
  const prove = useStepUp()
  const client = useQueryClient()
  const [role, setRole] = useState<StaffRole>(props.person.role)
  const [isBusy, setIsBusy] = useState(false)
  const [problem, setProblem] = useState<unknown>()
  const { person, verb } = props
  const words = WORDS[verb]
  const act = async (): Promise<void> => {
    setIsBusy(true)
    setProblem(undefined)
    try {
      const stepUp = await prove('staff.change', person.id)
      if (stepUp === undefined) return
      const invited = await change(person.id, verb, role, stepUp)
      await client.invalidateQueries()
      props.onDone(invited)
    } catch (error) {
      setProblem(error)
    } finally {
      setIsBusy(false)
    }
  }
  return (
    <div className={style.form}>
      <h3>{t(words.name)}</h3>
      <p>{t(words.text, { name: person.name })}</p>
      {verb === 'role' ? (
        <SelectField
          label={t('staff.role')}
          hint={t(roleTextKey(role))}
          value={role}
          options={STAFF_ROLES.map((value) => ({ value, label: t(roleKey(value)) }))}
          onChange={(event) => setRole(parseStaffRole(event.currentTarget.value) ?? role)}
        />
      ) : null}
      {problem === undefined ? null : (
        <Trouble
          error={problem}
          says={{
            'staff/last-administrator': t('staff.last-administrator'),
            'staff/not-now': t('staff.not-now'),
          }}
        />
      )}
      <ButtonRow>
        <Button look={words.isGrave ? 'stop' : 'primary'} isBusy={isBusy} onClick={() => void act()}>
          {t(words.now)}
        </Button>
        <Button icon="back" onClick={props.onBack}>
          {t('common.back')}
        </Button>
      </ButtonRow>
    </div>
  )
}

const STATUS_OF = { suspend: 'suspended', restore: 'active', leave: 'left' } as const

async function change(id: string, verb: Verb, role: StaffRole, stepUp: string): Promise<Invited | undefined> {
  const path = `/v1/desk/staff/${id}`
  if (verb === 'reset' || verb === 'again') return call<Invited>(`${path}/invitation`, { body: { stepUp } })
  if (verb === 'signOut') await call(`${path}/sign-out`, { body: { stepUp } })
  else if (verb === 'sso') await call(`${path}/sso`, { body: { stepUp } })
  else if (verb === 'role') await call(`${path}/role`, { body: { role, stepUp } })
  else await call(`${path}/status`, { body: { status: STATUS_OF[verb], stepUp } })
  return undefined
}
