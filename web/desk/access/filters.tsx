import { type FormEvent, type ReactNode, useState } from 'react'
import { LIMITS } from '../../../src/kernel/limits.ts'
import { Button } from '../../ui/button.tsx'
import { SelectField, TextField } from '../../ui/fields.tsx'
import { roleKey } from '../staff/model.ts'
import { useWholeStaff } from '../staff/use-staff.ts'
import { useWords } from '../words.ts'
import style from './access.module.css'
import type { Wanted } from './model.ts'

/** What to show: whose records, whose looks, which days. Nothing is asked of the server before the verb. */
export function Filters(props: { readonly wanted: Wanted; readonly onShow: (wanted: Wanted) => void }): ReactNode {
  const { t } = useWords()
  const [wanted, setWanted] = useState(props.wanted)
  const staff = useWholeStaff()
  const isTurned = wanted.from !== '' && wanted.until !== '' && wanted.from > wanted.until
  const set = (change: Partial<Wanted>): void => setWanted((before) => ({ ...before, ...change }))
  const show = (event: FormEvent): void => {
    event.preventDefault()
    if (!isTurned) props.onShow({ ...wanted, patient: wanted.patient.trim() })
  }
  return (
    <search>
      <form className={style.filters} onSubmit={show} noValidate>
        <div className={style.wide}>
          <TextField
            label={t('access.patient')}
            hint={t('access.patient-hint')}
            name="patient"
            type="search"
            dir="auto"
            autoComplete="off"
            maxLength={LIMITS.textCharsMax}
            value={wanted.patient}
            onChange={(event) => set({ patient: event.currentTarget.value })}
          />
        </div>
        <div className={style.who}>
          <SelectField
            label={t('access.person')}
            name="person"
            value={wanted.person}
            onChange={(event) => set({ person: event.currentTarget.value })}
            options={[
              { value: '', label: t('access.everybody') },
              ...staff.map(({ id, name, role }) => ({ value: id, label: `${name} · ${t(roleKey(role))}` })),
            ]}
          />
        </div>
        <TextField
          label={t('access.from')}
          name="from"
          type="date"
          value={wanted.from}
          onChange={(event) => set({ from: event.currentTarget.value })}
          aria-invalid={isTurned || undefined}
        />
        <TextField
          label={t('access.until')}
          name="until"
          type="date"
          value={wanted.until}
          onChange={(event) => set({ until: event.currentTarget.value })}
        />
        {isTurned ? (
          <p className={style.fault} role="alert">
            {t('access.order')}
          </p>
        ) : null}
        <div className={style.wide}>
          <Button type="submit" look="primary" icon="search">
            {t('access.show')}
          </Button>
        </div>
      </form>
    </search>
  )
}
