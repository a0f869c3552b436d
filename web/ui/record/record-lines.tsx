import type { ReactNode } from 'react'
import type {
  AllergyFacts,
  AppointmentFacts,
  FamilyFacts,
  OrderFacts,
  PlanFacts,
  ProblemFacts,
  ProcedureFacts,
} from '../../../src/fhir/show-clinical.ts'
import { State, type Tone } from '../state.tsx'
import style from './record.module.css'
import { useRecordDates, useRecordWords } from './record-words.ts'

export type LineFacts =
  | ProblemFacts
  | AllergyFacts
  | ProcedureFacts
  | OrderFacts
  | FamilyFacts
  | PlanFacts
  | AppointmentFacts

/** What is said in a sentence or two: an illness, an allergy, a procedure, an order, a plan, the next visit. */
export function RecordLine({ facts }: { readonly facts: LineFacts }): ReactNode {
  switch (facts.type) {
    case 'problem':
      return <ProblemLine facts={facts} />
    case 'allergy':
      return <AllergyLine facts={facts} />
    case 'procedure':
      return <ProcedureLine facts={facts} />
    case 'order':
      return <OrderLine facts={facts} />
    case 'family':
      return <FamilyLine facts={facts} />
    case 'plan':
      return <PlanLine facts={facts} />
    case 'appointment':
      return <AppointmentLine facts={facts} />
    default:
      return facts satisfies never
  }
}

/** First the thing, then its state, then what else is known, smaller. */
function Line(props: {
  readonly what: ReactNode
  readonly state?: ReactNode
  readonly more?: readonly (string | undefined)[]
}): ReactNode {
  const more = (props.more ?? []).filter((one) => one !== undefined && one !== '')
  return (
    <div className={style.line}>
      <p>
        <span>{props.what}</span> {props.state}
      </p>
      {more.map((one) => (
        <p className={style.more} key={one}>
          <bdi>{one}</bdi>
        </p>
      ))}
    </div>
  )
}

const PROBLEM_TONES: Readonly<Record<NonNullable<ProblemFacts['status']>, Tone>> = {
  active: 'calm',
  recurrence: 'waiting',
  relapse: 'waiting',
  inactive: 'live',
  remission: 'live',
  resolved: 'live',
}

function ProblemLine({ facts }: { readonly facts: ProblemFacts }): ReactNode {
  const { t } = useRecordWords()
  const dates = useRecordDates()
  const { status, verification, since, ended } = facts
  return (
    <Line
      what={<bdi>{facts.name.words}</bdi>}
      state={
        <>
          {status === undefined ? null : (
            <State tone={PROBLEM_TONES[status]}>{t(`record.problem-status.${status}`)}</State>
          )}
          <Verification verification={verification} />
        </>
      }
      more={[
        [
          facts.severity,
          since === undefined ? undefined : t('record.since', { day: dates.day(since) }),
          ended === undefined ? undefined : t('record.until', { day: dates.day(ended) }),
        ]
          .filter((one) => one !== undefined)
          .join(', '),
        facts.site === undefined ? undefined : t('record.site', { what: facts.site }),
        facts.note,
      ]}
    />
  )
}

function Verification(props: { readonly verification: ProblemFacts['verification'] }): ReactNode {
  const { t } = useRecordWords()
  const { verification } = props
  if (verification === undefined || verification === 'confirmed') return null
  const isOff = verification === 'refuted' || verification === 'entered-in-error'
  return <State tone={isOff ? 'stopped' : 'waiting'}>{t(`record.verification.${verification}`)}</State>
}

function AllergyLine({ facts }: { readonly facts: AllergyFacts }): ReactNode {
  const { t } = useRecordWords()
  const dates = useRecordDates()
  const { danger, reactions, severity, since } = facts
  const isDangerous = danger === 'high' || severity === 'severe'
  if (facts.isNone === true) return <Line what={t('record.no-allergy')} more={[facts.note]} />
  return (
    <Line
      what={<bdi>{facts.name.words}</bdi>}
      state={
        <>
          {danger === undefined ? null : (
            <State tone={isDangerous ? 'stopped' : 'calm'} icon={isDangerous ? 'warning' : 'info'}>
              {t(`record.danger.${danger}`)}
            </State>
          )}
          <Verification verification={facts.verification} />
        </>
      }
      more={[
        reactions === undefined ? undefined : t('record.reaction', { what: dates.list(reactions) }),
        severity === undefined ? undefined : t(`record.severity.${severity}`),
        since === undefined ? undefined : t('record.since', { day: dates.day(since) }),
        facts.note,
      ]}
    />
  )
}

function ProcedureLine({ facts }: { readonly facts: ProcedureFacts }): ReactNode {
  const { t } = useRecordWords()
  const dates = useRecordDates()
  const { at, until, outcome, site, reason } = facts
  const day = at === undefined ? undefined : dates.day(at)
  return (
    <Line
      what={<bdi>{facts.name.words}</bdi>}
      state={
        facts.status === 'not-done' || facts.status === 'entered-in-error' ? (
          <State tone="stopped">
            {t(facts.status === 'not-done' ? 'record.not-done' : 'record.verification.entered-in-error')}
          </State>
        ) : null
      }
      more={[
        day === undefined || until === undefined ? day : t('record.stay', { from: day, to: dates.day(until) }),
        reason === undefined ? undefined : t('record.for-reason', { reason }),
        site === undefined ? undefined : t('record.site', { what: site }),
        outcome === undefined ? undefined : t('record.outcome', { what: outcome }),
        facts.followUp,
        facts.note,
      ]}
    />
  )
}

function OrderLine({ facts }: { readonly facts: OrderFacts }): ReactNode {
  const { t } = useRecordWords()
  const isOff = facts.status === 'revoked' || facts.status === 'entered-in-error'
  return (
    <Line
      what={<bdi>{facts.name.words}</bdi>}
      state={
        <>
          {facts.urgent ? <State tone="waiting">{t('record.urgent')}</State> : null}
          {isOff ? <State tone="stopped">{t('record.medicine-status.cancelled')}</State> : null}
        </>
      }
      more={[facts.reason === undefined ? undefined : t('record.for-reason', { reason: facts.reason }), facts.note]}
    />
  )
}

const RELATIVES = ['MTH', 'FTH', 'SIS', 'BRO', 'GRPRN'] as const

function FamilyLine({ facts }: { readonly facts: FamilyFacts }): ReactNode {
  const { t } = useRecordWords()
  const dates = useRecordDates()
  const known = RELATIVES.find((one) => one === facts.relationCode)
  const relation = known === undefined ? facts.relation : t(`record.relative.${known}`)
  const conditions = (facts.conditions ?? []).map(({ name, outcome, since }) =>
    [name.words, [outcome, since].filter(Boolean).join(', ')].filter(Boolean).join(' – '),
  )
  return (
    <Line
      what={
        conditions.length === 0 ? (
          <bdi>{relation}</bdi>
        ) : (
          t('record.family-line', { relation, conditions: dates.list(conditions) })
        )
      }
      more={[facts.died === undefined ? undefined : t('record.died', { when: dates.day(facts.died) }), facts.note]}
    />
  )
}

function PlanLine({ facts }: { readonly facts: PlanFacts }): ReactNode {
  const { t } = useRecordWords()
  const dates = useRecordDates()
  return (
    <>
      <Line
        what={<bdi>{facts.title}</bdi>}
        more={[
          facts.until === undefined ? undefined : t('record.until', { day: dates.day(facts.until) }),
          facts.description,
          ...(facts.goals ?? []).map((what) => t('record.goal', { what })),
          facts.note,
        ]}
      />
      {facts.activities === undefined ? null : (
        <ul>
          {facts.activities.map((one) => (
            <li key={one}>
              <bdi>{one}</bdi>
            </li>
          ))}
        </ul>
      )}
    </>
  )
}

function AppointmentLine({ facts }: { readonly facts: AppointmentFacts }): ReactNode {
  const { t } = useRecordWords()
  const dates = useRecordDates()
  const isOff = facts.status === 'cancelled' || facts.status === 'noshow' || facts.status === 'entered-in-error'
  return (
    <Line
      what={facts.start === undefined ? t('record.appointment') : dates.moment(facts.start)}
      state={isOff ? <State tone="stopped">{t('record.appointment-cancelled')}</State> : null}
      more={[facts.kind, facts.description]}
    />
  )
}
