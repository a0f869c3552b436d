import { createHash } from 'node:crypto'
import { announce, record } from '../audit/record.ts'
import { type KeyMaterial, makeKeyMaterial, makeNonce } from '../crypto/key-agreement.ts'
import { exportPrivateKey, importPrivateKey, makeKeyPair } from '../crypto/sealing.ts'
import type { Tx } from '../db/tx.ts'
import { enqueue } from '../jobs/queue.ts'
import { bucketOf } from '../kernel/bucket.ts'
import { type AbhaAddress, type Bucket, type FacilityId, type Id, makeId, parseId, toBucket } from '../kernel/id.ts'
import { LIMITS } from '../kernel/limits.ts'
import { isRefusal, type Refusal, refuse } from '../kernel/refusal.ts'
import { nextRequestAt } from '../policy/frequency.ts'
import type { Period } from '../policy/period.ts'
import type { HoldBySetting } from './copy.ts'
import { type DataAskedEvent, type DataEvent, next, type TransferEndedEvent } from './hiu.ts'
import { type ProviderReport, whyEnded } from './provider-report.ts'
import { readReport, saveReport } from './report-store.ts'
import { type Artefact, findArtefact, lockArtefact } from './store.ts'
import {
  contextStates,
  isPassingRefusal,
  outcomeOf,
  type RefusalWords,
  refusedBefore,
  type TransferStatus,
} from './transfer.ts'
import {
  type DataRequest,
  destroySecret,
  entriesOf,
  findRequest,
  insertRequest,
  lockRequest,
  moveRequest,
  openSecret,
  pagesOf,
  requestsOf,
} from './transfer-store.ts'

export type RequestNeeds = {
  readonly facility: { readonly id: FacilityId }
  readonly publicUrl: string
  /** Laws by which this facility keeps copies beyond their consent; without them every copy is erased at once. */
  readonly keepsByLaw?: readonly HoldBySetting[]
}

/** Asks again for the data of a request that was refused for a reason that passes. */
export const ASK_AGAIN_JOB = 'hiu.ask-again'
export type AskAgain = { readonly patient: AbhaAddress; readonly request: Id<'hiu-request'> }

/** Of no effect on how often may be asked: the exchange took none of these. */
const NOT_TAKEN: ReadonlySet<string> = new Set(['failed', 'postponed', 'replaced'])

/** Below the party's public URL: where pages are pushed to. */
export const PUSH_PATH = '/api/v3/hiu/data/'
const TOKEN = /^([0-9a-f]{2})[A-Za-z0-9_-]{32}$/

/** The token tells the bucket of its request, and nothing else. Characters as ABDM allows in a dataPushUrl (protocol sheet 1.2 (3)). */
function makeToken(tx: Tx, bucket: Bucket): string {
  return `${bucket.toString(16).padStart(2, '0')}${Buffer.from(tx.random(24)).toString('base64url')}`
}

export function bucketOfToken(token: string): Bucket | undefined {
  const hex = TOKEN.exec(token)?.[1]
  return hex === undefined ? undefined : toBucket(Number.parseInt(hex, 16))
}

export function hashOfToken(token: string): Uint8Array {
  return new Uint8Array(createHash('sha256').update(token).digest())
}

/**
 * Asks for the data of an artefact, which the caller has locked, with its own date range and a key pair and nonce of this request
 * alone. Postponed requests are replaced by this one.
 * Refuses with `hiu/not-granted` or `hiu/too-often`.
 */
export async function requestData(
  tx: Tx,
  needs: RequestNeeds,
  artefact: Artefact,
  how: DataAskedEvent['how'],
): Promise<Id<'hiu-request'> | Refusal> {
  const { granted, eraseAt } = artefact
  if (artefact.status !== 'granted' || granted === undefined || eraseAt === undefined || eraseAt <= tx.now)
    return refuse('hiu/not-granted')
  const earlier = await requestsOf(tx, artefact.patient, artefact.id)
  const nextAt = nextRequestAt(
    granted.terms.frequency,
    earlier.flatMap((request) => (NOT_TAKEN.has(request.status) ? [] : [request.askedAt])),
  )
  if (nextAt !== undefined && nextAt > tx.now)
    return refuse('hiu/too-often', `The consent permits the next data request at ${nextAt.toISOString()}.`)
  const bucket = bucketOf(artefact.patient)
  const id = makeId<'hiu-request'>(tx.now, tx.random, bucket)
  const { range } = granted.terms
  // Two may wait at once: by hand and by a notice. This one stands for all of them, or the others would wait for ever.
  const postponed = earlier.filter(({ status }) => status === 'postponed')
  const last = postponed.at(-1)
  const replaces = last === undefined ? {} : { replaces: last.id }
  const recorded = await record<DataAskedEvent>(tx, {
    type: 'hiu.data-asked',
    actor: { kind: 'facility', id: needs.facility.id },
    patient: artefact.patient,
    subject: artefact.id,
    request: id,
    range: { from: range.from.toISOString(), to: range.to.toISOString() },
    how,
    ...replaces,
  })
  for (const one of postponed) await moveRequest(tx, recorded, one, { status: 'replaced', ended: true })
  const secret = {
    privateKey: exportPrivateKey(makeKeyPair(tx.random)),
    nonce: makeNonce(tx.random),
    token: makeToken(tx, bucket),
  }
  const keyExpiresAt = new Date(tx.now.getTime() + LIMITS.requestKeyMs)
  const deadline = new Date(tx.now.getTime() + LIMITS.transferMs)
  const ordinal = (earlier.at(-1)?.ordinal ?? 0) + 1
  await insertRequest(
    tx,
    recorded,
    { id, artefact: artefact.id, patient: artefact.patient, range, keyExpiresAt, deadline, ordinal, ...replaces },
    secret,
    hashOfToken(secret.token),
  )
  await announce(tx, recorded)
  return id
}

/** What the exchange is sent for a request: the public half only. */
export async function readOutgoingRequest(
  tx: Tx,
  needs: RequestNeeds,
  id: Id<'hiu-request'>,
): Promise<{
  readonly consentId: Id<'artefact'>
  readonly range: Period
  readonly dataPushUrl: string
  readonly keyMaterial: KeyMaterial
}> {
  const request = await findRequest(tx, id)
  const secret = request && (await openSecret(tx, request))
  if (request === undefined || secret === undefined) throw new Error(`data request ${id} has no key any more`)
  const pair = importPrivateKey(secret.privateKey)
  return {
    consentId: request.artefact,
    range: request.range,
    dataPushUrl: `${needs.publicUrl}${PUSH_PATH}${secret.token}`,
    keyMaterial: makeKeyMaterial(pair, secret.nonce, request.keyExpiresAt, 'raw'),
  }
}

/** The exchange's answer to a data request (on-request): the transaction, or its error. */
export async function takeDataAnswer(
  tx: Tx,
  needs: RequestNeeds,
  responseTo: string,
  answer: { readonly transaction: string } | { readonly error: { readonly code?: string; readonly message: string } },
): Promise<true | Refusal> {
  const id = parseId<'hiu-request'>(responseTo)
  const request = id && (await lockRequest(tx, id))
  if (request === undefined) return refuse('hiu/unknown-request')
  if ('error' in answer) {
    await refuseRequest(tx, needs, request, answer.error)
    return true
  }
  if (request.transaction === answer.transaction && request.status !== 'asked') return true
  const recorded = await record<DataEvent>(tx, {
    ...dataEvent(needs, request),
    type: 'hiu.data-acknowledged',
    transaction: answer.transaction,
  })
  // The push may have overtaken this answer; the status then stays where it is.
  await moveRequest(tx, recorded, request, {
    status: next('request', request.status, 'acknowledge') ?? request.status,
    transaction: answer.transaction,
  })
  await announce(tx, recorded)
  return true
}

/** The request could not be delivered for good. */
export async function noteRequestUndelivered(
  tx: Tx,
  needs: RequestNeeds,
  requestId: string,
  error: { readonly code?: string; readonly message: string },
): Promise<void> {
  const id = parseId<'hiu-request'>(requestId)
  const request = id && (await lockRequest(tx, id))
  if (request !== undefined) await refuseRequest(tx, needs, request, error)
}

/** The exchange did not take the request: it is asked again a few times when the reason passes, and has failed otherwise. */
async function refuseRequest(tx: Tx, needs: RequestNeeds, request: DataRequest, error: RefusalWords): Promise<void> {
  // The same refusal once more, of a request that is to be asked again.
  if (request.status === 'postponed') return
  const status = next('request', request.status, 'postpone')
  const all = await requestsOf(tx, request.patient, request.artefact)
  const delayMs = LIMITS.requestAgainDelaysMs[refusedBefore(all, request).length]
  if (status === undefined || delayMs === undefined || !isPassingRefusal(error))
    return failRequest(tx, needs, request, error)
  const againAt = new Date(tx.now.getTime() + delayMs)
  const reason = wordsOf(error)
  const recorded = await record<DataEvent>(tx, {
    ...dataEvent(needs, request),
    type: 'hiu.data-postponed',
    reason,
    againAt: againAt.toISOString(),
  })
  await moveRequest(tx, recorded, request, { status, reason, againAt })
  await destroySecret(tx, recorded, request)
  const payload: AskAgain = { patient: request.patient, request: request.id }
  await enqueue(tx, { kind: ASK_AGAIN_JOB, payload, runAt: againAt })
  await announce(tx, recorded)
}

/** The time of a postponed request has come. Does nothing when somebody asked meanwhile, or the consent has ended. */
export async function askAgain(tx: Tx, needs: RequestNeeds, { patient, request: id }: AskAgain): Promise<void> {
  const found = await findRequest(tx, id)
  // The artefact first, as everywhere: its end locks its requests after it.
  const artefact = found && (await lockArtefact(tx, patient, found.artefact))
  const request = artefact && (await lockRequest(tx, id))
  if (artefact === undefined || request?.status !== 'postponed') return
  const asked = await requestData(tx, needs, artefact, 'again')
  if (isRefusal(asked)) await failRequest(tx, needs, request, { code: asked.code, message: asked.detail })
}

const wordsOf = ({ code, message }: RefusalWords): string => `${code === undefined ? '' : `${code}: `}${message}`

async function failRequest(tx: Tx, needs: RequestNeeds, request: DataRequest, error: RefusalWords): Promise<void> {
  const status = next('request', request.status, 'fail')
  // Pages that came show that the exchange did pass it on.
  if (status === undefined || request.status === 'receiving') return
  const reason = wordsOf(error)
  const recorded = await record<DataEvent>(tx, { ...dataEvent(needs, request), type: 'hiu.data-failed', reason })
  await moveRequest(tx, recorded, request, { status, reason, ended: true })
  await destroySecret(tx, recorded, request)
  await announce(tx, recorded)
}

export function dataEvent(needs: RequestNeeds, request: DataRequest) {
  return {
    actor: { kind: 'facility', id: needs.facility.id },
    patient: request.patient,
    subject: request.artefact,
    request: request.id,
  } as const
}

/** Ends a transfer whose pages have all come, whose provider sends no more, or whose time is over, and lets the exchange be told. */
export async function endTransfer(
  tx: Tx,
  needs: RequestNeeds,
  request: DataRequest,
  end: 'complete' | 'incomplete',
  report?: ProviderReport,
): Promise<void> {
  const move = end === 'complete' ? 'last-page' : report === undefined ? 'overdue' : 'provider-done'
  const status = next('request', request.status, move)
  const artefact = await findArtefact(tx, request.patient, request.artefact)
  if (status === undefined || artefact?.granted === undefined) return
  const known = report ?? (await readReport(tx, request))
  const contexts = contextStates(expectedContexts(artefact), await entriesOf(tx, request), {
    status,
    ...(known === undefined ? {} : { report: known }),
  })
  const recorded = await record<TransferEndedEvent>(tx, {
    ...dataEvent(needs, request),
    type: 'hiu.transfer-ended',
    ...(request.transaction === undefined ? {} : { transaction: request.transaction }),
    hip: artefact.granted.hip.id,
    ...outcomeOf(contexts, end),
    ...(report === undefined ? {} : { provider: report.status }),
  })
  if (report !== undefined) await saveReport(tx, recorded, request, report)
  await moveRequest(tx, recorded, request, { status, ended: true })
  // Of an incomplete transfer the key is kept until it expires: late pages are still welcome.
  if (end === 'complete') await destroySecret(tx, recorded, request)
  await announce(tx, recorded)
}

/** 20 minutes are over: says what is missing. Does nothing when the transfer has ended meanwhile. */
export async function endOverdue(tx: Tx, needs: RequestNeeds, id: Id<'hiu-request'>): Promise<void> {
  const request = await lockRequest(tx, id)
  if (request !== undefined && request.deadline <= tx.now) await endTransfer(tx, needs, request, 'incomplete')
}

/** Destroys the private key of a request whose key has expired. */
export async function destroyExpiredKey(tx: Tx, needs: RequestNeeds, id: Id<'hiu-request'>): Promise<void> {
  const request = await lockRequest(tx, id)
  if (request === undefined || request.keyExpiresAt > tx.now) return
  const recorded = await record<DataEvent>(tx, { ...dataEvent(needs, request), type: 'hiu.key-destroyed' })
  await destroySecret(tx, recorded, request)
  await announce(tx, recorded)
}

function expectedContexts(artefact: Artefact): readonly string[] {
  return (artefact.granted?.terms.careContexts ?? []).map((context) => context.careContextReference)
}

/** All transfers of one artefact, in the order in which they were asked for. One that was asked again is told by its successor. */
export async function transfersOf(
  tx: Tx,
  artefact: Artefact,
): Promise<readonly (TransferStatus & { readonly id: Id<'hiu-request'> })[]> {
  const found = []
  const all = await requestsOf(tx, artefact.patient, artefact.id)
  for (const request of all)
    if (request.status !== 'replaced') found.push({ id: request.id, ...(await statusOf(tx, request, all)) })
  return found
}

async function statusOf(tx: Tx, request: DataRequest, all: readonly DataRequest[]): Promise<TransferStatus> {
  const artefact = await findArtefact(tx, request.patient, request.artefact)
  const pages = (await pagesOf(tx, request)).map(({ number, status, receivedAt, findings }) => ({
    number,
    status,
    receivedAt,
    findings,
  }))
  const { status, pageCount } = request
  const report = await readReport(tx, request)
  const reason = request.reason ?? (status === 'incomplete' && report !== undefined ? whyEnded(report) : undefined)
  return {
    status,
    askedAt: request.askedAt,
    refusals: refusedBefore(all, request).map(({ askedAt, reason: why = '' }) => ({ askedAt, reason: why })),
    pages,
    pagesMissing: pageCount === null ? 0 : Math.max(0, pageCount - pages.length),
    careContexts: contextStates(
      artefact === undefined ? [] : expectedContexts(artefact),
      await entriesOf(tx, request),
      { status, ...(reason === undefined ? {} : { reason }), ...(report === undefined ? {} : { report }) },
    ),
    ...(request.transaction === undefined ? {} : { transaction: request.transaction }),
    ...(request.endedAt === undefined ? {} : { endedAt: request.endedAt }),
    ...(request.againAt === undefined ? {} : { againAt: request.againAt }),
    ...(reason === undefined ? {} : { reason }),
    ...(pageCount === null ? {} : { pageCount }),
  }
}
