import { type ReactNode, useMemo } from 'react'
import { Button } from '../../ui/button.tsx'
import { SelectField, TextField, Tick } from '../../ui/fields.tsx'
import { patientsIn } from '../chain.ts'
import type { FlowMessage } from '../flow.ts'
import { useWords } from '../words.ts'
import type { Filter } from './filter.ts'
import style from './messages.module.css'

/** What to show of all messages, and whether to hold still. */
export function Toolbar(props: {
  readonly messages: readonly FlowMessage[]
  readonly filter: Filter
  readonly onFilter: (filter: Filter) => void
  readonly isHeld: boolean
  readonly newSince: number
  readonly onHold: (isHeld: boolean) => void
}): ReactNode {
  const { t, tn } = useWords()
  const { filter, onFilter } = props
  const patients = useMemo(() => patientsIn(props.messages), [props.messages])
  const options = [
    { value: '', label: t('console.everybody') },
    ...patients.map((address) => ({ value: address, label: address })),
  ]
  return (
    <div className={style.toolbar}>
      <SelectField
        label={t('console.patient')}
        options={options}
        value={filter.patient}
        onChange={(event) => onFilter({ ...filter, patient: event.target.value })}
      />
      <TextField
        type="search"
        dir="ltr"
        label={t('console.path-or-id')}
        value={filter.text}
        onChange={(event) => onFilter({ ...filter, text: event.target.value })}
      />
      <Tick
        label={t('console.trouble-only')}
        checked={filter.troubleOnly}
        onChange={(event) => onFilter({ ...filter, troubleOnly: event.target.checked })}
      />
      <Button look="plain" aria-pressed={props.isHeld} onClick={() => props.onHold(!props.isHeld)}>
        {props.isHeld ? t('console.go-on') : t('console.hold')}
      </Button>
      <p className={style.note} role="status">
        {props.isHeld ? tn('console.held', props.newSince) : ''}
      </p>
      {filter.follow === undefined ? null : (
        <p className={style.following}>
          <span>{t('console.following')}</span>
          <Button look="quiet" icon="cross" onClick={() => onFilter({ text: '', patient: '', troubleOnly: false })}>
            {t('console.show-all')}
          </Button>
        </p>
      )}
    </div>
  )
}
