import { type ReactNode, useState } from 'react'
import type { PurposeCode } from '../../../src/policy/purpose.ts'
import { Button } from '../../ui/button.tsx'
import { useDates } from '../../ui/dates.ts'
import { Choices, Tick } from '../../ui/fields.tsx'
import { Card, Part } from '../../ui/page.tsx'
import { RecordTable } from '../../ui/record/record-table.tsx'
import { Banner, Empty, Waiting } from '../../ui/state.tsx'
import { BreakGlass } from '../emergency/break-glass.tsx'
import { useStaffSession } from '../session.ts'
import { useWords } from '../words.ts'
import { type Door, purposeKey, type Way } from './model.ts'
import style from './reading.module.css'

/** Before anything opens: why, what there is, and that the log keeps it. */
export function ReadingDoor(props: {
  readonly door: Door
  readonly isOpening: boolean
  readonly onOpen: (purpose: PurposeCode) => void
}): ReactNode {
  const { t } = useWords()
  const { door } = props
  const { name } = door.patient
  if (props.isOpening) return <Waiting>{t('reading.opening', { name })}</Waiting>
  return (
    <>
      {door.ways.length === 0 ? <Closed door={door} /> : <Why {...props} ways={door.ways} />}
      <ThereIs door={door} />
    </>
  )
}

function Why(props: {
  readonly door: Door
  readonly ways: readonly Way[]
  readonly onOpen: (purpose: PurposeCode) => void
}): ReactNode {
  const { t } = useWords()
  const dates = useDates()
  const { ways, door } = props
  // In an emergency nobody looks for the right purpose.
  const usual = ways.find(({ ground }) => ground === 'emergency') ?? ways[0]
  const [purpose, setPurpose] = useState(usual?.purpose ?? 'CAREMGT')
  const says = ({ ground, until }: Way): string =>
    ground === 'attending'
      ? t('reading.way-attending')
      : ground === 'unit'
        ? t('reading.way-unit')
        : t('reading.way-emergency', { time: until === undefined ? '' : dates.time(until) })
  return (
    <Card>
      <form
        className={style.why}
        onSubmit={(event) => {
          event.preventDefault()
          props.onOpen(purpose)
        }}
      >
        <Choices legend={t('reading.why')}>
          {ways.map((way) => (
            <Tick
              key={way.purpose}
              kind="radio"
              name="purpose"
              label={t(purposeKey(way.purpose))}
              detail={says(way)}
              checked={purpose === way.purpose}
              onChange={() => setPurpose(way.purpose)}
            />
          ))}
        </Choices>
        <p>{t('reading.recorded', { name: door.patient.name })}</p>
        <div>
          <Button look="primary" icon="eye" type="submit">
            {t('reading.open')}
          </Button>
        </div>
      </form>
    </Card>
  )
}

/** Why the content is closed, and what opens it. */
function Closed({ door }: { readonly door: Door }): ReactNode {
  const { t } = useWords()
  const { session } = useStaffSession()
  const role = session?.staff.role
  const treats = role === 'doctor' || role === 'nurse'
  return (
    <>
      <Banner tone="waiting" icon="lock" title={t('reading.closed')}>
        <p>{t(treats ? 'reading.closed-treating' : 'reading.closed-other')}</p>
      </Banner>
      {treats ? (
        <div>
          <BreakGlass patient={door.patient} />
        </div>
      ) : null}
    </>
  )
}

function ThereIs({ door }: { readonly door: Door }): ReactNode {
  const { t } = useWords()
  const dates = useDates()
  if (door.counts.length === 0)
    return (
      <Empty icon="record" title={t('reading.there-is-nothing')}>
        <p>{t('reading.there-is-nothing-text')}</p>
      </Empty>
    )
  return (
    <Part title={t('reading.there-is')}>
      <div className={style.counts}>
        <RecordTable
          caption={t('reading.there-is')}
          rows={door.counts}
          columns={[
            { label: t('reading.kind'), cell: ({ hiType }) => t(`hi-type.${hiType}`) },
            { label: t('reading.own'), isNumber: true, cell: ({ own }) => dates.number(own) },
            { label: t('reading.received'), isNumber: true, cell: ({ received }) => dates.number(received) },
          ]}
        />
      </div>
    </Part>
  )
}
