import type { RowDiffersEvent } from './replay-jobs.ts'
import type { AlarmEvent } from './watch/alarm.ts'
import type { TamperedEvent } from './watch/tampered.ts'

/** What the log records about itself. */
export const EVENTS: Readonly<
  Record<AlarmEvent['type'] | TamperedEvent['type'] | RowDiffersEvent['type'] | 'log.alive' | 'log.read', string>
> = {
  'log.alarm-raised':
    'A log of the network forked, was rolled back, or stands still; a row of the database was changed behind the program; or what is owed to a patient by a date was not done.',
  'log.alarm-ended': 'A log that stood still grows again, or what was overdue is done.',
  'log.alarm-acknowledged': 'Somebody looked into an alarm of a log and said why work goes on.',
  'credential.tampered':
    'A row by which somebody proves who they are was added or changed in the database, not by the program; it is not believed.',
  'row.differs':
    'A row of the database is not what the log says of it: it was changed, put back as it was before, added or deleted in the database.',
  'log.alive': 'Nothing happened for a while: an entry by which others see that the log does not stand still.',
  'log.read': 'Somebody read events of the log: of a patient, as FHIR AuditEvents, or who looked at her records.',
}
