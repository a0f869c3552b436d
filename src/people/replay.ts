import { sql } from 'kysely'
import { type ReadEvent, type Replay, type Says, stands, textOf } from '../audit/replay.ts'

const account = (status: string) => (event: ReadEvent) =>
  event.patient === undefined ? [] : [{ id: event.patient, now: { status } }]

/** `kept`: it stands as before. What an earlier release recorded does not say how it stood afterwards. */
const confirmation = (event: ReadEvent): readonly Says[] => {
  const status = textOf(event, 'confirmation')
  return stands(status === 'kept' ? {} : { status })(event)
}

/** Accounts of patients at an exchange, as the log says they stand. */
export const PATIENT_REPLAYS: readonly Replay[] = [
  {
    kind: 'account of a patient',
    named: 'by event',
    about: 'patient',
    says: {
      'people.enrolled': account('active'),
      'people.deactivated': account('deactivated'),
      'people.reactivated': account('active'),
      'people.account-closed': account('closed'),
      'people.account-reopened': account('active'),
    },
    rows: ({ patient, bucket }) =>
      sql`select abha_address as id, xmin::text as version, status from patient where bucket = ${bucket} and abha_address = ${patient}`,
  },
]

/** Accounts of the staff of a facility, as the log says they stand. */
export const STAFF_REPLAYS: readonly Replay[] = [
  {
    kind: 'account of the staff',
    named: 'by id',
    about: 'nobody',
    says: {
      'staff.invited': (event) => stands({ status: 'invited', role: textOf(event, 'role') })(event),
      'staff.joined': stands({ status: 'active' }),
      'staff.suspended': stands({ status: 'suspended' }),
      'staff.restored': stands({ status: 'active' }),
      'staff.left': stands({ status: 'left' }),
      'staff.second-factor-reset': stands({ status: 'invited' }),
      'staff.role-changed': (event) => stands({ role: textOf(event, 'role') })(event),
    },
    rows: () => sql`select id::text, xmin::text as version, status, role from staff`,
  },
  {
    kind: 'confirmation of an account',
    named: 'by id',
    about: 'nobody',
    says: {
      'staff.invited': confirmation,
      'staff.second-factor-reset': confirmation,
      'staff.role-changed': confirmation,
      'staff.sso-linked': confirmation,
      'staff.confirmed': stands({ status: 'confirmed' }),
    },
    rows: () => sql`select staff::text as id, xmin::text as version, status from staff_confirmation`,
  },
]
