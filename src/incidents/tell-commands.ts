import { z } from 'zod'
import { announce, record } from '../audit/record.ts'
import type { Heard } from '../consent/emergency.ts'
import type { Reaction, Tx } from '../db/tx.ts'
import { readConsent } from '../hiu/commands.ts'
import { type Actor, type StaffCaller, staffActor } from '../kernel/caller.ts'
import { type FacilityId, type Id, parseId } from '../kernel/id.ts'
import { isRefusal, type Refusal, refuse } from '../kernel/refusal.ts'
import { readPatient } from '../records/commands.ts'
import type { FacilityPatient } from '../records/patient.ts'
import type { EmergencyAccess, EmergencyEvent } from './emergency.ts'
import type { Telling } from './store.ts'
import * as store from './store.ts'
import { sendText, type TellNeeds, wayToTell } from './tell.ts'

type Needs = TellNeeds & { readonly facility: { readonly id: FacilityId } }
type Answered = { readonly type: string; readonly subject: Id<'hiu-consent'>; readonly heard?: Heard }

/**
 * Where the exchange does not say that it told the patient of an emergency, taken or not, the facility tells her. No error code says so:
 * one code stands for `nothing is linked elsewhere` and for `nobody has this address`.
 */
export function emergencyReactions(needs: Needs): readonly (readonly [type: string, reaction: Reaction])[] {
  const tell = (tx: Tx, event: Answered) => tellInstead(tx, needs, event)
  // Of an accepted request that was no emergency nothing is said.
  const tellIfSaid = async (tx: Tx, event: Answered) => (event.heard === undefined ? undefined : tell(tx, event))
  return [
    ['hiu.consent-failed', tell],
    ['hiu.consent-accepted', tellIfSaid],
    ['hiu.patient-not-told', tell],
  ]
}

/**
 * At the end of an access of which the exchange has said nothing yet, since it is away: then the facility tells the patient. Told twice, when
 * the exchange comes back, is better than told by nobody until then.
 */
export async function tellWhenUnanswered(tx: Tx, needs: Needs, { told, consent }: EmergencyAccess): Promise<void> {
  if (told !== 'exchange' || consent === undefined) return
  const asked = await readConsent(tx, consent)
  if (isRefusal(asked) || asked.status !== 'asked') return
  await tellInstead(tx, needs, { type: 'emergency.ended', subject: consent })
}

async function tellInstead(tx: Tx, needs: Needs, { subject, heard }: Answered): Promise<void> {
  if (heard === 'told') return
  const id = await store.findByConsent(tx, subject)
  const access = id && (await store.lockEmergency(tx, id))
  if (access === undefined || access.told !== 'exchange') return
  const patient = await readPatient(tx, access.patientReference)
  const told = await wayInstead(tx, patient, heard)
  await save(tx, { kind: 'facility', id: needs.facility.id }, access, told)
  if (told.told === 'text' && !isRefusal(patient)) await sendText(tx, needs, patient, access)
}

/** The number that we know may be the same that is not hers: then nothing goes there. */
async function wayInstead(tx: Tx, patient: FacilityPatient | Refusal, heard: Heard | undefined): Promise<Telling> {
  if (heard === 'only-on-paper') return { told: 'letter', onPaper: 'not-hers' }
  return isRefusal(patient) ? { told: 'letter', onPaper: 'no-mobile' } : wayToTell(tx, patient)
}

/** What a text message of {@link sendText} is about. */
const aboutText = z.object({ emergency: z.string() })

/** The gateway did not take a text message for good: what the text was about waits to be told on paper. Others than ours are let be. */
export async function noteTextUndelivered(
  tx: Tx,
  needs: { readonly facility: { readonly id: FacilityId } },
  about: unknown,
): Promise<void> {
  const { data } = aboutText.safeParse(about)
  const id = parseId<'emergency'>(data?.emergency ?? '')
  const access = id && (await store.lockEmergency(tx, id))
  if (access?.told !== 'text') return
  const telling = { told: 'letter', onPaper: 'undelivered' } as const
  const recorded = await record<EmergencyEvent>(tx, {
    type: 'emergency.text-undelivered',
    actor: { kind: 'facility', id: needs.facility.id },
    patient: access.patientReference,
    subject: access.id,
    ...telling,
  })
  await store.updateTold(tx, recorded, access.id, telling)
  await announce(tx, recorded)
}

async function save(tx: Tx, actor: Actor, access: EmergencyAccess, told: Telling): Promise<void> {
  const recorded = await record<EmergencyEvent>(tx, {
    type: 'emergency.patient-told',
    actor,
    patient: access.patientReference,
    subject: access.id,
    told: told.told,
    ...(told.onPaper === undefined ? {} : { onPaper: told.onPaper }),
    ...(told.told === 'letter' && told.toldAt !== undefined ? { isSent: true } : {}),
  })
  await store.updateTold(tx, recorded, access.id, told)
  await announce(tx, recorded)
}

/** The letter to a patient whom no text message reaches went out. The caller's route has checked the act `emergency.review`. */
export async function noteLetterSent(
  tx: Tx,
  needs: { readonly facility: { readonly id: FacilityId } },
  staff: StaffCaller,
  id: Id<'emergency'>,
): Promise<EmergencyAccess | Refusal> {
  const access = await store.lockEmergency(tx, id)
  if (access === undefined) return refuse('incidents/unknown-emergency')
  if (access.told !== 'letter' || access.toldAt !== undefined) return refuse('incidents/told-already')
  const told = {
    ...(access.onPaper === undefined ? {} : { onPaper: access.onPaper }),
    told: 'letter',
    toldAt: tx.now,
  } as const
  await save(tx, staffActor(needs.facility.id, staff), access, told)
  return { ...access, ...told }
}
