import type { Tx } from '../db/tx.ts'
import { enqueue } from '../jobs/queue.ts'
import { LIMITS } from '../kernel/limits.ts'
import { nameInText } from '../kernel/shown-words.ts'
import { type TextLanguage, textFor, timeInText } from '../people/texts.ts'
import type { FacilityPatient } from '../records/patient.ts'
import type { EmergencyAccess } from './emergency.ts'

const TEXT_JOB = 'text-message'

export type TellNeeds = {
  readonly facility: { readonly name: string }
  /** In which language this facility writes to its patients. */
  readonly textLanguage: TextLanguage
}

/** Where the exchange does not tell the patient: a text message to the mobile that we know, else a letter. */
export function wayToTell(tx: Tx, { mobile }: FacilityPatient): Pick<EmergencyAccess, 'told' | 'toldAt'> {
  return mobile === undefined ? { told: 'letter' } : { told: 'text', toldAt: tx.now }
}

/** Tells the patient who, why and for how long; a patient without an app is told whom to ask. */
export async function sendText(
  tx: Tx,
  { facility, textLanguage }: TellNeeds,
  { mobile, name }: FacilityPatient,
  { name: person, reason, until }: Pick<EmergencyAccess, 'name' | 'reason' | 'until'>,
): Promise<void> {
  if (mobile === undefined) return
  const text = textFor(textLanguage, 'emergency.opened-here', {
    facility: facility.name,
    person: nameInText(person, LIMITS.personInTextCharsMax) ?? textFor(textLanguage, 'emergency.somebody', {}),
    patient: name,
    reason: textFor(textLanguage, `emergency.reason.${reason}`, {}),
    time: timeInText(textLanguage, until),
  })
  await enqueue(tx, { kind: TEXT_JOB, payload: { mobile, text } })
}
