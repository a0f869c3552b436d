import type { StaffCaller } from '../kernel/caller.ts'
import type { Colleague } from './colleagues.ts'
import { attendantOf } from './rules.ts'
import { mayConfirm } from './stay-commands.ts'
import { attendsNow, attendsUntil, endsBy, type Visit } from './visit.ts'

/** A visit as the screens show it: who attends by name, and whether it is the reader. */
export function showVisit(visit: Visit, names: ReadonlyMap<string, Colleague>, reader: StaffCaller, now: Date): object {
  const own = attendantOf(reader)
  const end = endsBy(visit)
  return {
    id: visit.id,
    kind: visit.kind,
    status: visit.status,
    startedAt: visit.startedAt,
    ...(visit.queueNumber === undefined ? {} : { queueNumber: visit.queueNumber }),
    ...(visit.endedAt === undefined ? {} : { endedAt: visit.endedAt }),
    ...(visit.status === 'open' && end !== undefined ? { endsBy: end } : {}),
    ...confirmationOf(visit, reader),
    begunByMe: visit.startedBy === reader.id,
    attendedByMe: own !== undefined && attendsNow(visit, own, now),
    attendants: visit.attendants.map(({ attendant, until }) => {
      const person = names.get(attendant)
      return {
        id: attendant,
        ...(person === undefined ? { unit: attendant } : { name: person.name, role: person.role }),
        ...(until === undefined ? {} : { until }),
      }
    }),
  }
}

/** Of an open stay: by when somebody must say that the patient is still here, and whether the reader may. */
function confirmationOf(visit: Visit, reader: StaffCaller): object {
  if (visit.kind !== 'inpatient' || visit.status !== 'open') return {}
  const ends = visit.attendants.flatMap((one) => (one.until === undefined ? [attendsUntil(visit, one).getTime()] : []))
  const mayBeConfirmed = mayConfirm(visit, reader)
  return { mayBeConfirmed, ...(ends.length === 0 ? {} : { confirmBy: new Date(Math.min(...ends)) }) }
}
