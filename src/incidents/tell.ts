import type { Tx } from '../db/tx.ts'
import { enqueue } from '../jobs/queue.ts'
import { LIMITS } from '../kernel/limits.ts'
import { nameInText } from '../kernel/shown-words.ts'
import { type TextLanguage, textFor, timeInText } from '../people/texts.ts'
import type { FacilityPatient } from '../records/patient.ts'
import type { EmergencyAccess } from './emergency.ts'
import { countTexts, lockTextsOf, type Telling } from './store.ts'

const TEXT_JOB = 'text-message'

export type TellNeeds = {
  readonly facility: { readonly name: string }
  /** In which language this facility writes to its patients. */
  readonly textLanguage: TextLanguage
}

/**
 * Where the exchange does not tell the patient: a text message to the mobile that we know, `LIMITS.emergenciesPerPatientDayMax` a day, else
 * a letter. Of emergencies at once one waits for the other, until its transaction is over.
 */
export async function wayToTell(tx: Tx, { mobile, reference }: FacilityPatient): Promise<Telling> {
  if (mobile === undefined) return { told: 'letter', onPaper: 'no-mobile' }
  await lockTextsOf(tx, reference)
  const since = new Date(tx.now.getTime() - LIMITS.emergencyDayMs)
  const isTooMany = (await countTexts(tx, reference, since)) >= LIMITS.emergenciesPerPatientDayMax
  return isTooMany ? { told: 'letter', onPaper: 'withheld-by-cap' } : { told: 'text', toldAt: tx.now }
}

/** Tells the patient who, why and for how long; a patient without an app is told whom to ask. */
export async function sendText(
  tx: Tx,
  { facility, textLanguage }: TellNeeds,
  { mobile, name }: FacilityPatient,
  { id, name: person, reason, until }: Pick<EmergencyAccess, 'id' | 'name' | 'reason' | 'until'>,
): Promise<void> {
  if (mobile === undefined) return
  const text = textFor(textLanguage, 'emergency.opened-here', {
    facility: facility.name,
    person: nameInText(person, LIMITS.personInTextCharsMax) ?? textFor(textLanguage, 'emergency.somebody', {}),
    patient: name,
    reason: textFor(textLanguage, `emergency.reason.${reason}`, {}),
    time: timeInText(textLanguage, until),
  })
  await enqueue(tx, { kind: TEXT_JOB, payload: { mobile, text, about: { emergency: id } } })
}
