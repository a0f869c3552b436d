import { useQueryClient } from '@tanstack/react-query'
import { type FormEvent, type ReactNode, useState } from 'react'
import { LIMITS } from '../../../src/kernel/limits.ts'
import { nameInText } from '../../../src/kernel/shown-words.ts'
import { STAFF_ROLES, type StaffRole } from '../../../src/kernel/staff-role.ts'
import { parseLogin, parseStaffRole } from '../../../src/people/staff.ts'
import { call } from '../../ui/api.ts'
import { Button, ButtonRow } from '../../ui/button.tsx'
import { SelectField, TextField } from '../../ui/fields.tsx'
import { Sheet } from '../../ui/sheet.tsx'
import { useStepUp } from '../../ui/step-up.tsx'
import { Trouble } from '../../ui/trouble.tsx'
import { useWords } from '../words.ts'
import { faultOf } from './faults.ts'
import { InvitedPart } from './invited-part.tsx'
import { type Invited, roleKey, roleTextKey } from './model.ts'
import style from './staff.module.css'

type Gap = 'name' | 'name-in-text' | 'login'
type Draft = { readonly name: string; readonly login: string; readonly role: StaffRole; readonly registration: string }

/** Inviting a person: who she is, what her work is; then the link to hand over. */
export function InviteSheet(props: { readonly onClose: () => void }): ReactNode {
  const { t } = useWords()
  const prove = useStepUp()
  const client = useQueryClient()
  const [draft, setDraft] = useState<Draft>({ name: '', login: '', role: 'front-desk', registration: '' })
  const [fault, setFault] = useState<Gap>()
  const [isBusy, setIsBusy] = useState(false)
  const [problem, setProblem] = useState<unknown>()
  const [invited, setInvited] = useState<Invited>()
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault()
    if (isBusy) return
    const login = parseLogin(draft.login)
    const gap = faultOfDraft(draft.name.trim()) ?? (login === undefined ? 'login' : undefined)
    setFault(gap)
    if (gap !== undefined || login === undefined) return
    setIsBusy(true)
    setProblem(undefined)
    try {
      const stepUp = await prove('staff.change', login)
      if (stepUp === undefined) return
      const registration = draft.registration.trim()
      const body = {
        login,
        name: draft.name.trim(),
        role: draft.role,
        stepUp,
        ...(registration === '' ? {} : { registration }),
      }
      setInvited(await call<Invited>('/v1/desk/staff', { body }))
      await client.invalidateQueries()
    } catch (error) {
      setProblem(error)
    } finally {
      setIsBusy(false)
    }
  }
  const taken = faultOf(problem, { 'staff/login-taken': t('staff.login-taken') })
  return (
    <Sheet title={t('staff.invite-title')} onClose={props.onClose}>
      {invited === undefined ? (
        <form className={style.form} onSubmit={(event) => void submit(event)} noValidate>
          {problem === undefined || taken !== undefined ? null : <Trouble error={problem} />}
          <Fields
            draft={draft}
            onDraft={setDraft}
            {...(fault === 'name' ? { nameFault: t('staff.name-missing') } : {})}
            {...(fault === 'name-in-text' ? { nameFault: t('staff.name-unfit') } : {})}
            {...(fault === 'login'
              ? { loginFault: t('staff.login-wrong') }
              : taken === undefined
                ? {}
                : { loginFault: taken })}
          />
          <ButtonRow>
            <Button type="submit" look="primary" isBusy={isBusy}>
              {t('staff.invite-now')}
            </Button>
          </ButtonRow>
        </form>
      ) : (
        <InvitedPart name={draft.name} invited={invited} onClose={props.onClose} />
      )}
    </Sheet>
  )
}

function faultOfDraft(name: string): Gap | undefined {
  if (name.length < 2) return 'name'
  return nameInText(name, LIMITS.personInTextCharsMax) === undefined ? 'name-in-text' : undefined
}

function Fields(props: {
  readonly draft: Draft
  readonly onDraft: (draft: Draft) => void
  readonly nameFault?: string
  readonly loginFault?: string
}): ReactNode {
  const { t } = useWords()
  const { draft, onDraft } = props
  return (
    <>
      <TextField
        label={t('staff.name')}
        hint={t('staff.name-hint')}
        {...(props.nameFault === undefined ? {} : { fault: props.nameFault })}
        autoComplete="off"
        maxLength={120}
        value={draft.name}
        onChange={(event) => onDraft({ ...draft, name: event.currentTarget.value })}
      />
      <TextField
        label={t('staff.login')}
        hint={t('staff.login-hint')}
        {...(props.loginFault === undefined ? {} : { fault: props.loginFault })}
        autoComplete="off"
        autoCapitalize="none"
        spellCheck={false}
        dir="ltr"
        maxLength={40}
        value={draft.login}
        onChange={(event) => onDraft({ ...draft, login: event.currentTarget.value })}
      />
      <SelectField
        label={t('staff.role')}
        hint={t(roleTextKey(draft.role))}
        value={draft.role}
        options={STAFF_ROLES.map((value) => ({ value, label: t(roleKey(value)) }))}
        onChange={(event) => onDraft({ ...draft, role: parseStaffRole(event.currentTarget.value) ?? draft.role })}
      />
      <TextField
        label={t('staff.registration')}
        hint={t('staff.registration-hint')}
        autoComplete="off"
        dir="ltr"
        maxLength={60}
        value={draft.registration}
        onChange={(event) => onDraft({ ...draft, registration: event.currentTarget.value })}
      />
    </>
  )
}
