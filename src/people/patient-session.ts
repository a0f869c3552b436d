import { announce, record } from '../audit/record.ts'
import type { Tx } from '../db/tx.ts'
import type { PatientCaller } from '../kernel/caller.ts'
import { type AbhaAddress, type Id, parseAbhaAddress } from '../kernel/id.ts'
import { isRefusal, type Refusal, refuse } from '../kernel/refusal.ts'
import { checkActing } from './commands.ts'
import type { PatientEvent } from './patient.ts'
import { endSession, endSessionsOf, readSession, sessionOfPerson, type WebNeeds } from './session-commands.ts'

type WebCall = Parameters<typeof readSession>[3]

/**
 * The patient who calls with the cookie of the app; undefined when no cookie came. `X-Acting-For` names a child or dependant for whom
 * the signed-in person acts: the guardianship is looked up anew at each call.
 */
export async function patientOfSession(
  tx: Tx,
  web: WebNeeds,
  call: WebCall,
): Promise<PatientCaller | Refusal | undefined> {
  const session = await readSession(tx, web, 'patient', call)
  if (session === undefined || isRefusal(session)) return session
  const person = session.person as AbhaAddress
  const named = call.headers['x-acting-for']
  const patient = named === undefined || named === '' ? person : parseAbhaAddress(named)
  if (patient === undefined) return refuse('people/not-guardian', undefined, 'X-Acting-For')
  const acting = patient === person ? {} : { guardian: person }
  const fault = await checkActing(tx, { patient, ...acting })
  return fault ?? { kind: 'patient', patient, ...acting, session: session.id }
}

/** The patient ends a session of hers, this one or one on another device. `request/not-found` for what is not hers or over already. */
export async function endPatientSession(tx: Tx, person: AbhaAddress, id: string): Promise<Refusal | undefined> {
  const session = await sessionOfPerson(tx, 'patient', person, id)
  if (isRefusal(session)) return session
  const actor = { kind: 'patient', id: person } as const
  const event = { type: 'people.signed-out', actor, patient: person, subject: session.id } satisfies PatientEvent
  const recorded = await record(tx, event)
  await endSession(tx, recorded, session.id)
  await announce(tx, recorded)
  return undefined
}

/** The patient ends all her sessions but the one named; a caller with a token has none to keep. */
export async function endOtherPatientSessions(
  tx: Tx,
  person: AbhaAddress,
  except: Id<'web-session'> | undefined,
): Promise<void> {
  const actor = { kind: 'patient', id: person } as const
  const event = { type: 'people.signed-out-elsewhere', actor, patient: person } satisfies PatientEvent
  const recorded = await record(tx, event)
  await endSessionsOf(tx, recorded, { kind: 'patient', person, ...(except === undefined ? {} : { except }) })
  await announce(tx, recorded)
}
