import { announce, record } from '../audit/record.ts'
import { disclosureStop } from '../audit/watch/alarm.ts'
import { readPermission } from '../consent/artefact.ts'
import type { Artefact } from '../consent/consent.ts'
import { artefactForRequest } from '../consent/readers.ts'
import { parseNonce } from '../crypto/key-agreement.ts'
import { parsePeerKey } from '../crypto/key-material.ts'
import type { Tx } from '../db/tx.ts'
import { bucketOf } from '../kernel/bucket.ts'
import type { Actor } from '../kernel/caller.ts'
import { type AbhaAddress, type FacilityId, type Id, makeId } from '../kernel/id.ts'
import { LIMITS } from '../kernel/limits.ts'
import { isRefusal, type Refusal, refuse } from '../kernel/refusal.ts'
import { facilityById } from '../partners/commands.ts'
import { readPatient } from '../people/commands.ts'
import { decide } from '../policy/decide.ts'
import { windowMs } from '../policy/frequency.ts'
import type { Decision, Standing } from '../policy/gate.ts'
import type { Period } from '../policy/period.ts'
import {
  findDataRequest,
  findDataRequestsOf,
  findUses,
  insertDataRequest,
  updateProvider,
  updateRecipient,
} from './store.ts'
import {
  type ContextOutcome,
  type DataRequest,
  decisionJson,
  moveProvider,
  moveRecipient,
  type ProviderEvent,
  type ProviderVerb,
  type RecipientEvent,
  type RecipientVerb,
  refusalOf,
  type TransferRefusedEvent,
  type TransferRequestedEvent,
} from './transfer.ts'

/** The HIU's half of the key agreement, as it came. */
export type OfferedKey = {
  readonly cryptoAlg: string
  readonly curve: string
  readonly dhPublicKey: { readonly expiry: Date; readonly keyValue: string }
  readonly nonce: string
}

export type DataRequestInput = {
  /** The caller has proved to be this facility. */
  readonly hiu: FacilityId
  readonly consent: Id<'artefact'>
  /** Absent = the whole range of the consent. */
  readonly dateRange?: Period
  readonly keyMaterial: OfferedKey
  /** REQUEST-ID of the call. */
  readonly requestId: string
}

/**
 * Admits a request for health information, or refuses it: the key must be fit, the consent the caller's, in force, acknowledged by
 * the provider, used no more often than it permits, and the dates inside it. Whoever calls this routes it to `hip`.
 */
export async function requestData(tx: Tx, input: DataRequestInput): Promise<DataRequest | Refusal> {
  const held = await artefactForRequest(tx, input.hiu, input.consent)
  if (isRefusal(held)) return held
  const { artefact } = held
  const keyFault = checkOfferedKey(input.keyMaterial, tx.now)
  if (keyFault) return keyFault
  const consented = readPermission(artefact.detail.permission).dateRange
  const period = input.dateRange ?? consented
  const decision = await askGate(tx, artefact, { acknowledged: held.acknowledged, period, mode: 'request' })
  const refusal =
    refusalOf(decision, consented) ?? (await refusalOfPatient(tx, artefact.patient)) ?? (await disclosureStop(tx))
  const about = { patient: artefact.patient, hiu: artefact.hiu, hip: artefact.hip, consent: artefact.id }
  const actor: Actor = { kind: 'facility', id: artefact.hiu }
  if (refusal) {
    const told = {
      type: 'transfer.refused',
      actor,
      subject: artefact.id,
      ...about,
      code: refusal.code,
      decision: decisionJson(decision),
    } as const
    await announce(tx, await record(tx, told satisfies TransferRefusedEvent))
    return refusal
  }
  const request: DataRequest = {
    id: makeId<'transaction'>(tx.now, tx.random, bucketOf(artefact.patient)),
    ...about,
    dateRange: period,
    askedAt: tx.now,
    hiuRequestId: input.requestId,
    hipStatus: 'REQUESTED',
    hipAt: tx.now,
    hipOutcomes: [],
    hiuOutcomes: [],
  }
  const recorded = await record(tx, {
    type: 'transfer.requested',
    actor,
    subject: request.id,
    ...about,
    dateRange: { from: period.from.toISOString(), to: period.to.toISOString() },
    hiTypes: artefact.detail.hiTypes,
    purpose: artefact.detail.purpose.code,
    decision: decisionJson(decision),
  } satisfies TransferRequestedEvent)
  await insertDataRequest(tx, recorded, request)
  await announce(tx, recorded)
  return request
}

/** Whether a key can be passed on: ECDH on Curve25519, a valid point, not expired, with a nonce of 32 bytes. */
export function checkOfferedKey(key: OfferedKey, now: Date): Refusal | undefined {
  const at = 'hiRequest.keyMaterial'
  if (key.cryptoAlg.toUpperCase() !== 'ECDH')
    return refuse('transfer/key-unfit', 'cryptoAlg must be ECDH.', `${at}.cryptoAlg`)
  if (key.curve.toLowerCase() !== 'curve25519')
    return refuse('transfer/key-unfit', 'curve must be Curve25519.', `${at}.curve`)
  if (key.dhPublicKey.expiry <= now) return refuse('transfer/key-expired', undefined, `${at}.dhPublicKey.expiry`)
  const peer = parsePeerKey(key.dhPublicKey.keyValue)
  if (isRefusal(peer)) return refuse(peer.code, peer.detail, `${at}.dhPublicKey.keyValue`)
  const nonce = parseNonce(key.nonce)
  return isRefusal(nonce) ? refuse(nonce.code, nonce.detail, `${at}.nonce`) : undefined
}

/** The gate's answer about the data of one artefact, with the facts as the exchange knows them. */
export async function askGate(
  tx: Tx,
  artefact: Artefact,
  use: { readonly acknowledged: boolean; readonly period: Period; readonly mode: 'request' | 'view' },
): Promise<Decision> {
  const { detail } = artefact
  const { acknowledged, period, mode } = use
  const permission = readPermission(detail.permission)
  const usedAt = await findUses(tx, artefact.id, new Date(tx.now.getTime() - windowMs(permission.frequency)))
  const parties = {
    patient: artefact.patient,
    recipient: artefact.hiu,
    holder: artefact.hip,
    purpose: detail.purpose.code,
  }
  return decide(
    {
      ...parties,
      types: detail.hiTypes,
      period,
      actor: { kind: 'facility', id: artefact.hiu },
      channel: 'abdm',
      mode,
      now: tx.now,
    },
    {
      recipient: await standingOf(tx, artefact.hiu),
      holder: await standingOf(tx, artefact.hip),
      refusals: [],
      consents: [
        {
          id: artefact.id,
          readable: true,
          status: artefact.status,
          ...parties,
          types: detail.hiTypes,
          period: permission.dateRange,
          eraseAt: permission.dataEraseAt,
          careContexts: detail.careContexts,
          frequency: permission.frequency,
          usedAt,
          acknowledged,
        },
      ],
    },
  )
}

async function standingOf(tx: Tx, id: FacilityId): Promise<Standing> {
  const facility = await facilityById(tx, id)
  return facility === undefined ? 'unknown' : facility.status === 'active' ? 'active' : 'suspended'
}

async function refusalOfPatient(tx: Tx, patient: AbhaAddress): Promise<Refusal | undefined> {
  const account = await readPatient(tx, patient)
  return account?.status === 'active' ? undefined : refuse('people/deactivated')
}

/** The provider's answer to a routed request: it took it, or answered with an error. Again and late is fine. */
export async function answerRequest(
  tx: Tx,
  input: {
    readonly facilities: readonly FacilityId[]
    readonly id: Id<'transaction'>
    readonly error?: DataRequest['error']
  },
): Promise<DataRequest | Refusal> {
  const request = await findDataRequest(tx, input.id, true)
  if (request === undefined || !input.facilities.includes(request.hip)) return refuse('transfer/unknown-transaction')
  const verb = input.error === undefined ? 'acknowledge' : 'refuse'
  return moveProviderSide(tx, request, verb, input.error === undefined ? {} : { error: cut(input.error) })
}

/** Failure reaction `data-request`: the request could not be delivered to the provider for good. */
export async function requestUndelivered(
  tx: Tx,
  id: string,
  error: { readonly code?: string; readonly message: string },
): Promise<void> {
  const request = await findDataRequest(tx, id as Id<'transaction'>, true)
  if (request === undefined) return
  await moveProviderSide(tx, request, 'fail', {
    error: cut({ code: error.code ?? '', message: error.message }),
    undelivered: true,
  })
}

function cut(error: { readonly code: string; readonly message: string }): {
  readonly code: string
  readonly message: string
} {
  return { code: error.code.slice(0, 40), message: error.message.slice(0, LIMITS.textCharsMax) }
}

type ProviderNews = {
  readonly error?: { code: string; message: string }
  readonly outcomes?: readonly ContextOutcome[]
  readonly undelivered?: boolean
}

async function moveProviderSide(
  tx: Tx,
  request: DataRequest,
  verb: ProviderVerb,
  news: ProviderNews,
): Promise<DataRequest> {
  const status = moveProvider(request.hipStatus, verb)
  if (status === undefined) return request
  const { error } = news
  const type =
    news.undelivered === true
      ? 'transfer.undelivered'
      : verb === 'acknowledge'
        ? 'transfer.acknowledged'
        : verb === 'refuse'
          ? 'transfer.declined'
          : 'transfer.provider-reported'
  const actor: Actor =
    news.undelivered === true ? { kind: 'system', id: 'delivery' } : { kind: 'facility', id: request.hip }
  const recorded = await record(tx, {
    type,
    actor,
    ...aboutOf(request),
    status,
    ...(error === undefined ? {} : { error }),
  } satisfies ProviderEvent)
  await updateProvider(tx, recorded, request, { status, ...news })
  await announce(tx, recorded)
  return { ...request, hipStatus: status, hipAt: tx.now, ...(error === undefined ? {} : { error }) }
}

function aboutOf({ patient, id, hiu, hip, consent }: DataRequest) {
  return { patient, subject: id, hiu, hip, consent }
}

export type TransferReport = {
  /** Which side reports, as which of the caller's facilities. */
  readonly side: 'hip' | 'hiu'
  readonly facility: FacilityId
  readonly id: Id<'transaction'>
  readonly consent: Id<'artefact'>
  readonly sessionStatus: 'TRANSFERRED' | 'PARTIAL_TRANSFERRED' | 'RECEIVED' | 'FAILED'
  readonly outcomes: readonly ContextOutcome[]
}

const PROVIDER_VERBS = {
  TRANSFERRED: 'transfer',
  RECEIVED: 'transfer',
  PARTIAL_TRANSFERRED: 'part',
  FAILED: 'fail',
} as const satisfies Record<TransferReport['sessionStatus'], ProviderVerb>
const RECIPIENT_VERBS = {
  TRANSFERRED: 'receive',
  RECEIVED: 'receive',
  PARTIAL_TRANSFERRED: 'part',
  FAILED: 'fail',
} as const satisfies Record<TransferReport['sessionStatus'], RecipientVerb>

/** How a transfer ended, in the words of one side. For facilities that are not that side the transfer does not exist. */
export async function reportTransfer(tx: Tx, report: TransferReport): Promise<DataRequest | Refusal> {
  const request = await findDataRequest(tx, report.id, true)
  const isParty = request !== undefined && request[report.side] === report.facility
  if (!isParty) return refuse('transfer/unknown-transaction', undefined, 'notification.transactionId')
  if (request.consent !== report.consent)
    return refuse('transfer/unknown-transaction', 'This transfer is under another consent.', 'notification.consentId')
  const outcomes = report.outcomes.map(({ description, ...outcome }) =>
    description === undefined ? outcome : { ...outcome, description: description.slice(0, LIMITS.textCharsMax) },
  )
  if (report.side === 'hip') return moveProviderSide(tx, request, PROVIDER_VERBS[report.sessionStatus], { outcomes })
  const status = moveRecipient(request.hiuStatus, RECIPIENT_VERBS[report.sessionStatus])
  if (status === undefined) return request
  const actor: Actor = { kind: 'facility', id: request.hiu }
  const recorded = await record(tx, {
    type: 'transfer.recipient-reported',
    actor,
    ...aboutOf(request),
    status,
  } satisfies RecipientEvent)
  await updateRecipient(tx, recorded, request, { status, outcomes })
  await announce(tx, recorded)
  return { ...request, hiuStatus: status, hiuAt: tx.now, hiuOutcomes: outcomes }
}

/** A transfer for one of its two sides; for others it does not exist. */
export async function transferFor(
  tx: Tx,
  facilities: readonly FacilityId[],
  id: Id<'transaction'>,
): Promise<DataRequest | Refusal> {
  const request = await findDataRequest(tx, id)
  const isParty = request !== undefined && (facilities.includes(request.hip) || facilities.includes(request.hiu))
  return isParty ? request : refuse('transfer/unknown-transaction')
}

/** A transfer by its id alone, for reactions. */
export async function transferById(tx: Tx, id: Id<'transaction'>): Promise<DataRequest | undefined> {
  return findDataRequest(tx, id)
}

/** The patient's transfers, newest first; under these consents when they are named. */
export async function transfersOf(
  tx: Tx,
  patient: AbhaAddress,
  filter: { readonly consents?: readonly Id<'artefact'>[]; readonly limit?: number } = {},
): Promise<readonly DataRequest[]> {
  return findDataRequestsOf(tx, patient, filter.consents, filter.limit ?? LIMITS.pageSizeMax)
}
