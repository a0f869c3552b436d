import { sql } from 'kysely'
import { type ReadEvent, type Replay, type Standing, stands, textOf } from '../audit/replay.ts'
import { pseudonym } from '../db/veil.ts'

const ABOUT_ATTENDANT = 'attendant '

/** Whether those whom an event lists attend from now on. */
function attending(event: ReadEvent, field: string, attends: boolean): Standing {
  const value: unknown = event[field]
  return Object.fromEntries(
    Array.isArray(value) ? value.map((who) => [`${ABOUT_ATTENDANT}${who}`, String(attends)]) : [],
  )
}

/** Who attends, as one text, as the row has it; nobody does once the visit has ended. */
function settleVisit({ status, kind, ...rest }: Standing): Standing {
  const attendedBy = Object.entries(rest)
    .flatMap(([field, attends]) => (attends === 'true' ? [field.slice(ABOUT_ATTENDANT.length)] : []))
    .toSorted()
  return {
    ...(status === undefined ? {} : { status }),
    ...(kind === undefined ? {} : { kind }),
    attended_by: status === 'ended' ? '' : attendedBy.join(' '),
  }
}

/** Visits and who attends them, as the log says they stand. */
export const REPLAYS: readonly Replay[] = [
  {
    kind: 'visit',
    named: 'by id',
    about: 'patient',
    says: {
      'visit.started': (event) =>
        stands({ status: 'open', kind: textOf(event, 'kind'), ...attending(event, 'attendants', true) })(event),
      'visit.attendants-changed': (event) =>
        stands({ ...attending(event, 'added', true), ...attending(event, 'removed', false) })(event),
      'visit.ended': stands({ status: 'ended' }),
    },
    settle: settleVisit,
    rows: ({ patient, bucket }) => sql`select id::text, xmin::text as version, status, kind,
      (select coalesce(string_agg(a.attendant, ' ' order by a.attendant collate "C"), '') from visit_attendant a
        where a.bucket = v.bucket and a.visit = v.id and a.until_at is null) as attended_by
      from visit v where v.bucket = ${bucket} and v.patient_reference = ${pseudonym(patient)}`,
  },
]
