import { receiptsAbout } from '../audit/receipts.ts'
import { announce, record } from '../audit/record.ts'
import type { Tx } from '../db/tx.ts'
import { enqueue } from '../jobs/queue.ts'
import type { AbhaAddress, FacilityId } from '../kernel/id.ts'
import { LIMITS } from '../kernel/limits.ts'
import { nameInText } from '../kernel/shown-words.ts'
import { facilityById } from '../partners/commands.ts'
import { readPatient } from '../people/commands.ts'
import type { Patient } from '../people/patient.ts'
import { type Phone, phonesOf } from '../people/phones.ts'
import { textFor, timeInText } from '../people/texts.ts'
import type { Emergency } from './emergency.ts'
import { type EmergencyTexts, nextText } from './emergency-text.ts'
import { findEmergencyTexts, lockEmergencies, saveEmergencyTexts } from './emergency-text-store.ts'
import type { AnsweredEmergency, EmergencyAnswered, EmergencyToldEvent } from './events.ts'
import { noteNotTold, type RequestTextNeeds, textTo } from './request-text-commands.ts'

/** Job that tells a patient of several emergencies of one facility at once. Its payload is {@link TellEmergencies}. */
export const TELL_EMERGENCIES_JOB = 'consent.tell-emergencies'
export type TellEmergencies = {
  readonly patient: AbhaAddress
  readonly hiu: FacilityId
  /** REQUEST-ID of the first of them. */
  readonly subject: string
}

/**
 * The patient, and the guardian who decides for her, are told at once, each in their own language: who, why, how long, what to do about it.
 * When one facility does it all day she is told of the rest together, once an hour. The caller holds `lockEmergencies`.
 */
export async function tellOfEmergency(
  tx: Tx,
  needs: RequestTextNeeds,
  told: {
    readonly patient: Patient
    /** At least one of those who hear. */
    readonly phones: readonly Phone[]
    readonly facility: { readonly id: FacilityId; readonly name: string }
    readonly emergency: Emergency
    readonly until: Date
    readonly requestId: string
    readonly answered: EmergencyAnswered
  },
): Promise<void> {
  const { patient, phones, facility, emergency, until, requestId, answered } = told
  const address = patient.abhaAddress
  const step = nextText(await findEmergencyTexts(tx, address, facility.id), tx.now)
  const recorded = await record(tx, {
    ...about(needs, address, facility.id, requestId),
    ...(step.how === 'alone' ? { kind: 'emergency' } : { kind: 'emergencies', at: step.at.toISOString(), answered }),
  } satisfies EmergencyToldEvent)
  await saveEmergencyTexts(tx, recorded, address, step.texts)
  if (step.how === 'alone')
    await textTo(
      tx,
      phones,
      {
        patient: address,
        subject: requestId,
        hiu: facility.id,
        kind: 'emergency',
        emergencies: [{ requestId, answered }],
      },
      (language) =>
        textFor(language, 'emergency.opened', {
          service: needs.exchange.name,
          person:
            nameInText(emergency.person.name, LIMITS.personInTextCharsMax) ??
            textFor(language, 'emergency.somebody', {}),
          facility: nameInText(facility.name, LIMITS.facilityInTextCharsMax) ?? facility.id,
          patient: patient.name,
          reason: textFor(language, `emergency.reason.${emergency.reason}`, {}),
          time: timeInText(language, until),
        }),
    )
  else if (!step.isPlanned) {
    const payload: TellEmergencies = { patient: address, hiu: facility.id, subject: requestId }
    await enqueue(tx, { kind: TELL_EMERGENCIES_JOB, payload, runAt: step.at })
  }
  await announce(tx, recorded)
}

/** No number is hers, and nobody decides for her: she finds it in her app, and only the facility can tell her now. */
export async function noteNobodyHears(
  tx: Tx,
  needs: RequestTextNeeds,
  told: {
    readonly patient: AbhaAddress
    readonly facility: { readonly id: FacilityId }
    readonly requestId: string
    readonly answered: EmergencyAnswered
  },
): Promise<void> {
  const { patient, facility, requestId, answered } = told
  const text = {
    patient,
    subject: requestId,
    hiu: facility.id,
    kind: 'emergency',
    emergencies: [{ requestId, answered }],
  } as const
  await noteNotTold(tx, needs, text, 'nobody-hears')
}

/** The text about all of which she has not been told. */
export async function tellOfEmergencies(
  tx: Tx,
  needs: RequestTextNeeds,
  { patient, hiu, subject }: TellEmergencies,
): Promise<void> {
  await lockEmergencies(tx, patient, hiu)
  const texts = await findEmergencyTexts(tx, patient, hiu)
  const told = await readPatient(tx, patient)
  if (told === undefined || texts === undefined || texts.held === 0) return
  const phones = await phonesOf(tx, told)
  const emergencies = await heldEmergencies(tx, patient, hiu, texts)
  const text = { patient, subject, hiu, kind: 'emergencies', emergencies } as const
  const after = { ...texts, held: 0, togetherAt: tx.now }
  if (phones.length === 0)
    return saveEmergencyTexts(tx, await noteNotTold(tx, needs, text, 'nobody-hears'), patient, after)
  const kind = { ...about(needs, patient, hiu, subject), kind: 'emergencies' } as const
  const recorded = await record(tx, kind satisfies EmergencyToldEvent)
  await saveEmergencyTexts(tx, recorded, patient, after)
  const facility = nameInText((await facilityById(tx, hiu))?.name ?? hiu, LIMITS.facilityInTextCharsMax) ?? hiu
  await textTo(tx, phones, text, (language) =>
    textFor(language, 'emergency.several', {
      service: needs.exchange.name,
      facility,
      patient: told.name,
      count: String(texts.held),
    }),
  )
  await announce(tx, recorded)
}

/**
 * The newest emergencies that were held, at most a page of them, however many other facilities opened meanwhile; those of earlier releases
 * do not say how they were answered.
 */
async function heldEmergencies(
  tx: Tx,
  patient: AbhaAddress,
  hiu: FacilityId,
  { held, togetherAt }: Pick<EmergencyTexts, 'held' | 'togetherAt'>,
): Promise<readonly AnsweredEmergency[]> {
  const types: readonly EmergencyToldEvent['type'][] = ['consent.patient-told']
  const count = Math.min(held, LIMITS.pageSizeMax)
  // One that began before the newest text about several, and waited for it, is held since.
  const since = (togetherAt?.getTime() ?? 0) - LIMITS.emergencyTextEveryMs
  const found: AnsweredEmergency[] = []
  let page: Awaited<ReturnType<typeof receiptsAbout>> = []
  do {
    const before = page.at(-1)?.id
    page = await receiptsAbout(tx, patient, {
      types,
      limit: LIMITS.pageSizeMax,
      ...(before === undefined ? {} : { before }),
    })
    for (const one of page) {
      if ('changed' in one) continue
      if (Date.parse(one.at) < since) return found
      const { hiu: of, subject, answered } = one.event as EmergencyToldEvent
      if (of === hiu && answered !== undefined) found.push({ requestId: subject, answered })
      if (found.length === count) return found
    }
  } while (page.length === LIMITS.pageSizeMax)
  return found
}

const about = (needs: RequestTextNeeds, patient: AbhaAddress, hiu: FacilityId, subject: string) =>
  ({
    type: 'consent.patient-told',
    actor: { kind: 'exchange', id: needs.exchange.id },
    patient,
    subject,
    hiu,
  }) as const
