import type { AlarmEvent } from './watch/alarm.ts'

/** What the log records about itself. */
export const EVENTS: Readonly<Record<AlarmEvent['type'] | 'log.alive' | 'log.read', string>> = {
  'log.alarm-raised': 'A log of the network forked, was rolled back, or stands still.',
  'log.alarm-ended': 'A log that stood still grows again.',
  'log.alarm-acknowledged': 'Somebody looked into an alarm of a log and said why work goes on.',
  'log.alive': 'Nothing happened for a while: an entry by which others see that the log does not stand still.',
  'log.read': 'Somebody read events of the log: of a patient, as FHIR AuditEvents, or who looked at her records.',
}
