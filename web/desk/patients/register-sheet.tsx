import { type ComponentProps, type FormEvent, type ReactNode, useState } from 'react'
import { useLocation } from 'wouter'
import { parseAbhaAddress, parseAbhaNumber } from '../../../src/kernel/id.ts'
import { type FacilityPatient, parseMobile } from '../../../src/records/patient.ts'
import { Button, ButtonRow } from '../../ui/button.tsx'
import { SelectField, TextField } from '../../ui/fields.tsx'
import { Sheet } from '../../ui/sheet.tsx'
import { Trouble } from '../../ui/trouble.tsx'
import { useAct } from '../act.ts'
import { type DeskKey, useWords } from '../words.ts'
import { type Person, pathOf } from './model.ts'
import style from './patients.module.css'

const GENDERS = ['female', 'male', 'other', 'unknown'] as const satisfies readonly Person['gender'][]
const FIELDS = ['name', 'birthDate', 'mobile', 'abhaAddress', 'abhaNumber', 'reference'] as const
type Field = (typeof FIELDS)[number]
type Draft = Readonly<Record<Field, string>> & { readonly gender: Person['gender'] }

const FAULTS: Readonly<Record<Field, DeskKey>> = {
  name: 'patients.fault-name',
  birthDate: 'patients.fault-birth-date',
  mobile: 'patients.fault-mobile',
  abhaAddress: 'patients.fault-abha-address',
  abhaNumber: 'patients.fault-abha-number',
  reference: 'patients.fault-reference',
}

/** The first thing that cannot be, by the same parsers as at the server. */
function faultOf(draft: Draft): Field | undefined {
  const isFine: Readonly<Record<Field, boolean>> = {
    name: draft.name.trim() !== '',
    birthDate: /^\d{4}-\d{2}-\d{2}$/.test(draft.birthDate),
    mobile: draft.mobile === '' || parseMobile(draft.mobile) !== undefined,
    abhaAddress: draft.abhaAddress === '' || parseAbhaAddress(draft.abhaAddress) !== undefined,
    abhaNumber: draft.abhaNumber === '' || parseAbhaNumber(draft.abhaNumber) !== undefined,
    reference: draft.reference === '' || /^[a-zA-Z0-9][a-zA-Z0-9_.@/:-]{0,59}$/.test(draft.reference),
  }
  return FIELDS.find((field) => !isFine[field])
}

const EMPTY: Draft = {
  name: '',
  birthDate: '',
  mobile: '',
  abhaAddress: '',
  abhaNumber: '',
  reference: '',
  gender: 'female',
}

const draftOf = (patient: FacilityPatient): Draft => ({
  ...EMPTY,
  ...patient,
  abhaAddress: patient.abhaAddress ?? '',
  abhaNumber: patient.abhaNumber ?? '',
  mobile: patient.mobile ?? '',
})

/** What is sent: nothing of what is empty; of a known patient the number stays in the address, and the postal address as it was. */
function bodyOf({ reference, ...rest }: Draft, known: FacilityPatient | undefined): object {
  const typed = Object.fromEntries(Object.entries(rest).filter(([, value]) => value.trim() !== ''))
  if (known !== undefined) return { ...typed, ...(known.address === undefined ? {} : { address: known.address }) }
  return reference.trim() === '' ? typed : { ...typed, reference }
}

/** Registers a patient whom somebody types in, or changes what is known of one. */
export function RegisterSheet(props: { readonly known?: FacilityPatient; readonly onClose: () => void }): ReactNode {
  const { known } = props
  const { t } = useWords()
  const [, go] = useLocation()
  const [draft, setDraft] = useState(known === undefined ? EMPTY : draftOf(known))
  const [fault, setFault] = useState<Field>()
  const register = useAct<Draft, { readonly patient: { readonly reference: string } }>(
    (input) => ({
      path: `/v1/desk${known === undefined ? '/patients' : pathOf(known.reference)}`,
      body: bodyOf(input, known),
    }),
    ({ patient }) => (known === undefined ? go(pathOf(patient.reference)) : props.onClose()),
  )
  const onSubmit = (event: FormEvent): void => {
    event.preventDefault()
    const found = faultOf(draft)
    setFault(found)
    if (found === undefined) register.run(draft)
  }
  const refused = FIELDS.find((field) => field === register.error?.field)
  const field = (name: Field) => ({
    value: draft[name],
    onChange: (event: { readonly target: { readonly value: string } }) =>
      setDraft({ ...draft, [name]: event.target.value }),
    ...(fault === name || (refused === name && register.error?.status === 400) ? { fault: t(FAULTS[name]) } : {}),
  })
  return (
    <Sheet
      title={known === undefined ? t('patients.register-title') : t('patients.change-title', { name: known.name })}
      onClose={props.onClose}
    >
      <form className={style.form} onSubmit={onSubmit} noValidate>
        <TextField label={t('patients.name')} autoComplete="off" required {...field('name')} />
        <div className={style.pair}>
          <TextField label={t('patients.birth-date')} type="date" required {...field('birthDate')} />
          <SelectField
            label={t('patients.gender')}
            value={draft.gender}
            onChange={(event) => setDraft({ ...draft, gender: event.target.value as Person['gender'] })}
            options={GENDERS.map((gender) => ({ value: gender, label: t(`patients.gender-${gender}`) }))}
          />
        </div>
        <Numbers field={field} isNew={known === undefined} />
        {register.error === null || register.error.status === 400 ? null : (
          <Trouble
            error={register.error}
            says={{ 'records/abha-taken': t('patients.abha-taken'), 'desk/number-taken': t('patients.number-taken') }}
          />
        )}
        <ButtonRow>
          <Button type="submit" look="primary" isBusy={register.isBusy}>
            {t(known === undefined ? 'patients.register-do' : 'common.save')}
          </Button>
          <Button onClick={props.onClose}>{t('common.cancel')}</Button>
        </ButtonRow>
      </form>
    </Sheet>
  )
}

type FieldProps = Pick<ComponentProps<typeof TextField>, 'value' | 'onChange' | 'fault'>

function Numbers(props: { readonly field: (name: Field) => FieldProps; readonly isNew: boolean }): ReactNode {
  const { field, isNew } = props
  const { t } = useWords()
  return (
    <>
      <TextField label={t('patients.mobile')} type="tel" autoComplete="off" {...field('mobile')} />
      <TextField
        label={t('patients.abha-address')}
        hint={t('patients.abha-hint')}
        autoComplete="off"
        {...field('abhaAddress')}
      />
      <TextField label={t('patients.abha-number')} inputMode="numeric" autoComplete="off" {...field('abhaNumber')} />
      {isNew ? (
        <TextField
          label={t('patients.our-number')}
          hint={t('patients.our-number-hint')}
          autoComplete="off"
          {...field('reference')}
        />
      ) : null}
    </>
  )
}
