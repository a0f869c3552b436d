import type { AuditEvent, Recorded } from './record.ts'

/** Events which say that health data was opened: by a person who looked, or by the program to send it on. */
export const ACCESS_TYPES = [
  'records.viewed',
  'hiu.record-viewed',
  'hip.records-opened',
  // Taken out as a file, by a person.
  'records.exported',
  'hiu.record-exported',
] as const

export type AccessEvent = AuditEvent & { readonly type: (typeof ACCESS_TYPES)[number] }

/**
 * Evidence that whoever is about to read health data stands in the log for it.
 *
 * What opens health data asks for one, so a reading that nobody recorded does not compile, and "who looked" is complete.
 */
export type Access = Recorded<AccessEvent>

/** Whether what was recorded is an access: a view that was denied is none. */
export function isAccess<Event extends AuditEvent>(
  recorded: Recorded<Event>,
): recorded is Recorded<Event> & Recorded<Event & AccessEvent> {
  const types: readonly string[] = ACCESS_TYPES
  return types.includes(recorded.event.type)
}
