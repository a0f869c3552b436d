import { announce, record } from '../audit/record.ts'
import type { Tx } from '../db/tx.ts'
import { enqueue } from '../jobs/queue.ts'
import { type AbhaAddress, bucketOfId, type Id } from '../kernel/id.ts'
import { LIMITS } from '../kernel/limits.ts'
import { nameInText } from '../kernel/shown-words.ts'
import { TEXT_MESSAGE_JOB } from '../linking/link-commands.ts'
import { facilityById } from '../partners/commands.ts'
import { isOwnApp } from '../partners/own-app.ts'
import { readPatient } from '../people/commands.ts'
import type { Patient } from '../people/patient.ts'
import { phonesOf } from '../people/phones.ts'
import { textFor } from '../people/texts.ts'
import type { PatientToldEvent, RequestedEvent } from './events.ts'
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
  await sendToReaders(tx, patient, (language, name) =>
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
  await sendToReaders(tx, patient, (language, name) =>
    textFor(language, 'request.several', { service: needs.exchange.name, count: String(size), patient: name }),
  )
}

/** {@link tellReaders} of what waits for a decision: nobody decides while an account is deactivated. */
async function sendToReaders(tx: Tx, address: AbhaAddress, write: WriteText): Promise<void> {
  const patient = await readPatient(tx, address)
  if (patient?.status === 'active') await tellReaders(tx, patient, write)
}

type WriteText = (language: string, patient: string) => string

/** To those who hear of this patient now ({@link phonesOf}). */
export async function tellReaders(tx: Tx, patient: Patient, write: WriteText): Promise<void> {
  for (const { mobile, language } of await phonesOf(tx, patient))
    await enqueue(tx, { kind: TEXT_MESSAGE_JOB, payload: { mobile, text: write(language, patient.name) } })
}
