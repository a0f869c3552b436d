import type { z } from 'zod'
import type { Tx } from '../db/tx.ts'
import { type Id, parseId } from '../kernel/id.ts'
import type { Group } from '../linking/care-context.ts'
import { endUndelivered, readLinkingInFull } from '../linking/discovery-commands.ts'
import type { TransactionEvent } from '../linking/events.ts'
import { careContextsOf } from '../linking/link-commands.ts'
import type { Transaction } from '../linking/transaction.ts'
import { readPatient } from '../people/commands.ts'
import { type Gender, type PatientEvent, yearOfBirth } from '../people/patient.ts'
import type * as messages from './linking-messages.ts'
import { type FailureReaction, sendToFacility } from './send.ts'

/** Sends what the steps of user-initiated linking say, to the HIP and to the patient's app (protocol sheet 2.2). */

/** Clients know three genders only (protocol sheet 2.9). */
export function wireGender(gender: Gender): 'M' | 'F' | 'O' {
  return gender === 'M' || gender === 'F' ? gender : 'O'
}

const counted = (groups: readonly Group[]) =>
  groups.map((group) => ({ ...group, careContexts: [...group.careContexts], count: group.careContexts.length }))

async function toHip(tx: Tx, t: Transaction, path: string, body: object): Promise<void> {
  await sendToFacility(tx, {
    facility: t.hip,
    as: 'hip',
    path,
    body,
    requestId: t.sentRequest,
    failure: { kind: 'linking.undelivered', id: t.id },
  })
}

/** What the patient's app gets back: as the HIP said it, or our own error (protocol sheet 2.2 (4), (8), (12)). */
type AppCallbacks = {
  readonly 'on-discover': z.input<typeof messages.onDiscover>
  readonly 'on-init': z.input<typeof messages.onInit>
  readonly 'on-confirm': z.input<typeof messages.onConfirm>
}

async function toApp<Path extends keyof AppCallbacks>(
  tx: Tx,
  t: Transaction,
  path: Path,
  body: Omit<AppCallbacks[Path], 'response'>,
): Promise<void> {
  if (t.requester === undefined) return
  await sendToFacility(tx, {
    facility: t.requester,
    as: 'hiu',
    path: `/api/v3/hiu/patient/care-context/${path}`,
    body: { ...body, response: { requestId: t.askedByRequest } },
  })
}

async function transactionOf(tx: Tx, event: TransactionEvent): Promise<Transaction> {
  const t = await readLinkingInFull(tx, event.subject as Id<'linking-transaction'>)
  if (t === undefined) throw new Error(`${event.type} names the unknown transaction ${event.subject}`)
  return t
}

async function sendDiscovery(tx: Tx, event: TransactionEvent): Promise<void> {
  const t = await transactionOf(tx, event)
  const patient = await readPatient(tx, t.patient)
  if (t.status !== 'asked' || patient === undefined) return
  const body: z.input<typeof messages.hipDiscover> = {
    transactionId: t.id,
    patient: {
      id: patient.abhaAddress,
      name: patient.name,
      gender: wireGender(patient.gender),
      yearOfBirth: yearOfBirth(patient),
      verifiedIdentifiers: [
        { type: 'MOBILE', value: patient.mobile },
        { type: 'ABHA_NUMBER', value: patient.abhaNumber },
        { type: 'ABHA_ADDRESS', value: patient.abhaAddress },
      ],
      unverifiedIdentifiers: [...t.identifiers],
    },
  }
  await toHip(tx, t, '/api/v3/hip/patient/care-context/discover', body)
}

async function sendInit(tx: Tx, event: TransactionEvent): Promise<void> {
  const t = await transactionOf(tx, event)
  if (t.status !== 'init-asked') return
  const body: z.input<typeof messages.hipLinkInit> = {
    transactionId: t.id,
    abhaAddress: t.patient,
    patient: counted(t.chosen),
  }
  await toHip(tx, t, '/api/v3/hip/link/care-context/init', body)
}

async function sendConfirm(tx: Tx, event: TransactionEvent): Promise<void> {
  const t = await transactionOf(tx, event)
  if (t.status !== 'confirm-asked') return
  const body: z.input<typeof messages.hipLinkConfirm> = {
    confirmation: { linkRefNumber: t.link.referenceNumber, token: t.otp },
  }
  await toHip(tx, t, '/api/v3/hip/link/care-context/confirm', body)
}

async function tellFound(tx: Tx, event: TransactionEvent): Promise<void> {
  const t = await transactionOf(tx, event)
  if (t.status === 'found')
    await toApp(tx, t, 'on-discover', { transactionId: t.id, patient: counted(t.found), matchedBy: [...t.matchedBy] })
}

async function tellOffered(tx: Tx, event: TransactionEvent): Promise<void> {
  const t = await transactionOf(tx, event)
  if (t.status !== 'offered') return
  const { referenceNumber, authenticationType, ...meta } = t.link
  await toApp(tx, t, 'on-init', { transactionId: t.id, link: { referenceNumber, authenticationType, meta } })
}

async function tellLinked(tx: Tx, event: TransactionEvent): Promise<void> {
  const t = await transactionOf(tx, event)
  if (t.status === 'linked') await toApp(tx, t, 'on-confirm', { patient: counted(t.linked) })
}

async function tellWrongOtp(tx: Tx, event: TransactionEvent): Promise<void> {
  const t = await transactionOf(tx, event)
  if (t.status === 'offered' && t.lastError !== undefined) await toApp(tx, t, 'on-confirm', { error: t.lastError })
}

async function tellFailed(tx: Tx, event: TransactionEvent): Promise<void> {
  const t = await transactionOf(tx, event)
  if (t.status !== 'failed') return
  const { id: transactionId, error } = t
  if (t.step === 'discover') await toApp(tx, t, 'on-discover', { transactionId, error })
  if (t.step === 'init') await toApp(tx, t, 'on-init', { transactionId, error })
  if (t.step === 'confirm') await toApp(tx, t, 'on-confirm', { error })
}

/** Facilities that hold links of the patient drop them, or take them up again (protocol sheet 2.1 (10)). */
async function tellStatus(tx: Tx, event: PatientEvent): Promise<void> {
  const hips = new Set((await careContextsOf(tx, event.patient)).map((context) => context.hip))
  const status = event.type === 'people.deactivated' ? 'DEACTIVATED' : 'REACTIVATED'
  const body: z.input<typeof messages.patientStatus> = { notification: { status, patient: { id: event.patient } } }
  for (const hip of hips)
    await sendToFacility(tx, { facility: hip, as: 'hip', path: '/api/v3/patients/status/notify', body })
}

/** For `app.ts` to register: event type and reaction. */
export const exchangeLinkingReactions = [
  ['linking.discovery-asked', sendDiscovery],
  ['linking.discovery-answered', tellFound],
  ['linking.link-asked', sendInit],
  ['linking.link-offered', tellOffered],
  ['linking.confirm-asked', sendConfirm],
  ['linking.confirmed', tellLinked],
  ['linking.confirm-refused', tellWrongOtp],
  ['linking.failed', tellFailed],
  ['people.deactivated', tellStatus],
  ['people.reactivated', tellStatus],
] as const

/** A message to the HIP that could not be delivered, `linking.undelivered`: the step under way ends, and the patient is told. */
export const linkingUndelivered: FailureReaction = async (tx, id, error) => {
  const transaction = parseId<'linking-transaction'>(id)
  if (transaction !== undefined) await endUndelivered(tx, transaction, error)
}
