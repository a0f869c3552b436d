import { type ReactNode, useState } from 'react'
import { Button } from '../../ui/button.tsx'
import { SelectField, TextField } from '../../ui/fields.tsx'
import { Trouble } from '../../ui/trouble.tsx'
import type { Lane } from '../session.ts'
import { FAULT_KINDS, type FaultKind, useAct } from '../state.ts'
import { useWords } from '../words.ts'
import style from './parties.module.css'

/** How, for which messages, how often and how long a party is to be broken. It ends by itself. */
export function BreakForm(props: { readonly party: Lane }): ReactNode {
  const { t } = useWords()
  const act = useAct()
  const [kind, setKind] = useState<FaultKind>('down')
  const [path, setPath] = useState('')
  const [times, setTimes] = useState('')
  const [minutes, setMinutes] = useState('10')
  const breakIt = (): void => {
    const body = {
      kind,
      minutes: Number(minutes),
      ...(path.trim() === '' ? {} : { path: path.trim() }),
      ...(times === '' ? {} : { times: Number(times) }),
    }
    act.mutate({ path: `/v1/console/parties/${props.party.id}/faults`, options: { body } })
  }
  return (
    <form
      className={style.form}
      onSubmit={(event) => {
        event.preventDefault()
        breakIt()
      }}
    >
      <SelectField
        label={t('console.how')}
        hint={t(`console.fault-${kind}-text`)}
        value={kind}
        options={FAULT_KINDS.map((one) => ({ value: one, label: t(`console.fault-${one}`) }))}
        onChange={(event) => setKind(FAULT_KINDS.find((one) => one === event.target.value) ?? 'down')}
      />
      <TextField
        dir="ltr"
        label={t('console.which-path')}
        hint={t('console.which-path-text')}
        value={path}
        maxLength={255}
        onChange={(event) => setPath(event.target.value)}
      />
      <div className={style.pair}>
        <TextField
          type="number"
          inputMode="numeric"
          label={t('console.how-often')}
          value={times}
          min={1}
          max={1000}
          onChange={(event) => setTimes(event.target.value)}
        />
        <TextField
          type="number"
          inputMode="numeric"
          label={t('console.how-long')}
          value={minutes}
          min={1}
          max={60}
          required
          onChange={(event) => setMinutes(event.target.value)}
        />
      </div>
      <div>
        <Button type="submit" look="stop" icon="warning" isBusy={act.isPending}>
          {t('console.break')}
        </Button>
      </div>
      {act.error === null ? null : <Trouble error={act.error} />}
    </form>
  )
}
