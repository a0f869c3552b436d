import { announce, type Recorded, record } from '../audit/record.ts'
import type { Tx } from '../db/tx.ts'
import { enqueue } from '../jobs/queue.ts'
import { type AbhaAddress, bucketOfId, type Id } from '../kernel/id.ts'
import { LIMITS } from '../kernel/limits.ts'
import { nameInText } from '../kernel/shown-words.ts'
import { TEXT_MESSAGE_JOB } from '../linking/link-commands.ts'
import { facilityById } from '../partners/commands.ts'
import { isOwnApp } from '../partners/own-app.ts'
import { readPatient } from '../people/commands.ts'
import { type Phone, phonesOf } from '../people/phones.ts'
import { textFor } from '../people/texts.ts'
import type { PatientNotToldEvent, PatientToldEvent, RequestedEvent } from './events.ts'
import { listRequestsOf } from './readers.ts'
import { findRequestTexts, saveRequestText } from './request-text-store.ts'
import { findRequest } from './store.ts'

/** Job that tells a patient what became of a new request: it waits for her, or her standing approval granted it. */
export const TELL_REQUEST_JOB = 'consent.tell-request'
/** Job that tells her, the day after, that many wait. */
export const TELL_SEVERAL_JOB = 'consent.tell-several'

export type RequestTextNeeds = { readonly exchange: { readonly id: string; readonly name: string } }

/**
 * Reaction to `consent.requested`. Nobody sits before an inbox: who is asked hears of it by a text message. One after the other within a
 * bucket, so that sixty requests at once do not find that nobody has been told yet.
 */
export async function planRequestText(tx: Tx, { subject, hiu }: RequestedEvent): Promise<void> {
  if (isOwnApp(hiu)) return
  const request = subject as Id<'consent-request'>
  const lane = `request-text:${bucketOfId(request)}`
  await enqueue(tx, { kind: TELL_REQUEST_JOB, payload: { request }, lane })
}

/**
 * Sends the text about one request: at most one a day for each asker, and `LIMITS.requestTextsPerDayMax` a day for each patient. What
 * comes beyond that is told together a day later, if it still waits. Nothing about an emergency, which is told at once by itself.
 */
export async function tellOfRequest(tx: Tx, needs: RequestTextNeeds, id: Id<'consent-request'>): Promise<void> {
  const request = await findRequest(tx, id)
  if (request === undefined) return
  const { patient, hiu } = request.asked
  const byPolicy = request.status === 'GRANTED' && request.policy !== undefined
  if (request.status !== 'REQUESTED' && !byPolicy) return
  const kind = byPolicy ? 'granted' : 'waiting'
  const today = await findRequestTexts(tx, patient, new Date(tx.now.getTime() - LIMITS.requestTextEveryMs))
  if (today.some((one) => one.hiu === hiu && one.kind === kind)) return
  const told = { type: 'consent.patient-told', actor: { kind: 'exchange', id: needs.exchange.id }, patient } as const
  // Who has a standing approval was chosen by her: these are few.
  const isMuch = !byPolicy && today.filter((one) => one.kind === 'waiting').length >= LIMITS.requestTextsPerDayMax
  // One that is still to come tells of this one, too; one that has gone out does not.
  if (isMuch && today.some((one) => one.kind === 'several' && one.toldAt > tx.now)) return
  if (isMuch) {
    const runAt = new Date(tx.now.getTime() + LIMITS.requestTextEveryMs)
    const recorded = await record(tx, {
      ...told,
      subject: id,
      hiu: '',
      kind: 'several',
      at: runAt.toISOString(),
    } satisfies PatientToldEvent)
    await saveRequestText(tx, recorded, patient, runAt)
    await enqueue(tx, { kind: TELL_SEVERAL_JOB, payload: { request: id }, runAt })
    return announce(tx, recorded)
  }
  const recorded = await record(tx, { ...told, subject: id, hiu, kind } satisfies PatientToldEvent)
  await saveRequestText(tx, recorded, patient, tx.now)
  const asker = nameInText((await facilityById(tx, hiu))?.name ?? hiu, LIMITS.facilityInTextCharsMax) ?? hiu
  await sendToReaders(tx, patient, { patient, subject: id, hiu, kind }, (language, name) =>
    textFor(language, byPolicy ? 'request.granted' : 'request.waiting', {
      service: needs.exchange.name,
      asker,
      patient: name,
    }),
  )
  await announce(tx, recorded)
}

/** The text about all that still waits. `id` is the request that was one too many. */
export async function tellOfSeveral(tx: Tx, needs: RequestTextNeeds, id: Id<'consent-request'>): Promise<void> {
  const request = await findRequest(tx, id)
  if (request === undefined) return
  const { patient } = request.asked
  const { size } = await listRequestsOf(tx, patient, { status: 'REQUESTED', ofOthers: true })
  if (size === 0) return
  await sendToReaders(tx, patient, { patient, subject: id, hiu: '', kind: 'several' }, (language, name) =>
    textFor(language, 'request.several', { service: needs.exchange.name, count: String(size), patient: name }),
  )
}

/** To those who hear of this patient now ({@link phonesOf}) of what waits for a decision: nobody decides while an account is deactivated. */
async function sendToReaders(tx: Tx, address: AbhaAddress, about: TextAbout, write: WriteText): Promise<void> {
  const patient = await readPatient(tx, address)
  if (patient?.status !== 'active') return
  await textTo(tx, await phonesOf(tx, patient), about, (language) => write(language, patient.name))
}

type WriteText = (language: string, patient: string) => string
/** What a text message tells of. */
export type TextAbout = Pick<PatientNotToldEvent, 'patient' | 'subject' | 'hiu' | 'kind' | 'emergencies'>

/** A text message to each of those who hear, in their language. */
export async function textTo(
  tx: Tx,
  phones: readonly Phone[],
  about: TextAbout,
  write: (language: string) => string,
): Promise<void> {
  for (const { mobile, language } of phones)
    await enqueue(tx, { kind: TEXT_MESSAGE_JOB, payload: { mobile, text: write(language), about } })
}

/**
 * The gateway did not take a text message of {@link textTo} for good. It may have arrived all the same, or on the phone of another who
 * hears: where it is not known, nobody was told.
 */
export async function noteTextUndelivered(tx: Tx, needs: RequestTextNeeds, about: object): Promise<void> {
  // Written by `textTo` only.
  const text = about as TextAbout
  if ((await readPatient(tx, text.patient as AbhaAddress)) !== undefined)
    await noteNotTold(tx, needs, text, 'undelivered')
}

/** Writes down that nobody was told by text message, and why. */
export async function noteNotTold(
  tx: Tx,
  needs: RequestTextNeeds,
  about: TextAbout,
  because: PatientNotToldEvent['because'],
): Promise<Recorded<PatientNotToldEvent>> {
  const recorded = await record<PatientNotToldEvent>(tx, {
    ...about,
    type: 'consent.patient-not-told',
    actor: { kind: 'exchange', id: needs.exchange.id },
    because,
  })
  await announce(tx, recorded)
  return recorded
}
