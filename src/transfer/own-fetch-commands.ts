import { createHash } from 'node:crypto'
import { announce, record } from '../audit/record.ts'
import type { ConsentNeeds } from '../consent/commands.ts'
import type { CareContextRef } from '../consent/consent.ts'
import { artefactById } from '../consent/readers.ts'
import type { Tx } from '../db/tx.ts'
import type { HiType } from '../fhir/hi-type.ts'
import { enqueue } from '../jobs/queue.ts'
import { bucketOf } from '../kernel/bucket.ts'
import type { Actor } from '../kernel/caller.ts'
import { type AbhaAddress, type Bucket, type FacilityId, type Id, makeId, toBucket } from '../kernel/id.ts'
import { LIMITS } from '../kernel/limits.ts'
import { isRefusal, type Refusal, refuse } from '../kernel/refusal.ts'
import { careContextsOf } from '../linking/link-commands.ts'
import { isHip, isHiu } from '../partners/bridge.ts'
import { facilityById, ownApp } from '../partners/commands.ts'
import { readPatient } from '../people/commands.ts'
import type { Period } from '../policy/period.ts'
import { checkOfferedKey, requestData } from './commands.ts'
import { ownConsents } from './own-consents.ts'
import type { Holder, OwnCopyAsked, OwnCopyExported, OwnCopyRequested, OwnFetch, PassedKey } from './own-fetch.ts'
import { endOwnFetch, failHolder } from './own-fetch-ends.ts'
import {
  findHolder,
  findHolderOfTransaction,
  findHolders,
  findOwnFetch,
  findOwnFetchesOf,
  insertHolder,
  insertOwnFetch,
  openToken,
  updateHolder,
} from './own-fetch-store.ts'
import type { DataRequest } from './transfer.ts'

export type OwnFetchNeeds = ConsentNeeds & { readonly publicUrl: string }

/** A fetch whose hospitals have had their time: payload `{fetch}`. */
export const OWN_FETCH_DUE_JOB = 'transfer.own-copy-due'

/** Below the exchange's public URL: where hospitals push a patient's own copy. */
export const MAILBOX_PATH = '/v1/mailbox/'
const TOKEN = /^([0-9a-f]{2})[A-Za-z0-9_-]{32}$/

export type OwnFetchAsk = {
  readonly patient: AbhaAddress
  readonly actor: Actor
  /** The public half of the page's keys. How long it is good is decided here: clocks of phones are wrong. */
  readonly key: { readonly keyValue: string; readonly nonce: string }
  /** Only these hospitals, kinds and dates; absent = all. */
  readonly hips?: readonly FacilityId[]
  readonly hiTypes?: readonly HiType[]
  readonly dateRange?: Period
}

/**
 * A patient's page asks for her own records: consents of herself, one request to each hospital as soon as it knows of its consent.
 * Refuses with `transfer/nothing-linked`, `people/deactivated`, or what is wrong with the key.
 */
export async function startOwnFetch(tx: Tx, needs: OwnFetchNeeds, ask: OwnFetchAsk): Promise<OwnFetch | Refusal> {
  const key = keyOf(tx, ask)
  const fault = checkOfferedKey({ ...key, dhPublicKey: { ...key.dhPublicKey, expiry: expiryOf(tx) } }, tx.now)
  if (fault) return fault
  const patient = await readPatient(tx, ask.patient)
  if (patient === undefined) return refuse('people/unknown-patient')
  if (patient.status !== 'active') return refuse('people/deactivated')
  const linked = await contextsByHip(tx, ask)
  const active = new Map<FacilityId, readonly CareContextRef[]>()
  for (const [hip, contexts] of linked) {
    const facility = await facilityById(tx, hip)
    if (facility !== undefined && isHip(facility)) active.set(hip, contexts)
  }
  if (linked.size === 0) return refuse('transfer/nothing-linked')
  const app = await ownApp(tx, needs)
  if (!isHiu(app)) return refuse('partners/hiu-unavailable')
  const consents = await ownConsents(tx, needs, {
    patient: ask.patient,
    name: patient.name,
    actor: ask.actor,
    app: app.id,
    hiTypes: ask.hiTypes,
    contexts: active,
  })
  if (isRefusal(consents)) return consents
  await makeRoom(tx, needs, ask.patient)
  const own: OwnFetch = {
    id: makeId(tx.now, tx.random, bucketOf(ask.patient)),
    patient: ask.patient,
    key,
    ...(ask.dateRange === undefined ? {} : { dateRange: ask.dateRange }),
    startedAt: tx.now,
    deadline: new Date(tx.now.getTime() + LIMITS.transferMs),
    expiresAt: new Date(tx.now.getTime() + LIMITS.ownFetchKeptMs),
    lastSeq: 0,
  }
  const recorded = await record(tx, {
    type: 'transfer.own-copy-asked',
    actor: ask.actor,
    patient: ask.patient,
    subject: own.id,
    hips: [...linked.keys()],
    hiTypes: ask.hiTypes ?? [],
    consents: [...consents.values()].map(({ id }) => id),
  } satisfies OwnCopyAsked)
  await insertOwnFetch(tx, recorded, own)
  for (const hip of linked.keys()) {
    const artefact = consents.get(hip)?.id
    const how = artefact === undefined ? inactive : ({ status: 'asking', artefact } as const)
    await insertHolder(tx, recorded, own, { hip, ...how })
  }
  await enqueue(tx, { kind: OWN_FETCH_DUE_JOB, payload: { fetch: own.id }, runAt: own.deadline })
  await announce(tx, recorded)
  for (const holder of await findHolders(tx, own.id)) await requestIfAcknowledged(tx, needs, own, holder)
  return own
}

const inactive = { status: 'failed', reason: { code: 'inactive' } } as const

const expiryOf = (tx: Tx): Date => new Date(tx.now.getTime() + LIMITS.ownFetchKeptMs)

function keyOf(tx: Tx, { key }: OwnFetchAsk): PassedKey {
  const parameters = 'Curve25519/32byte random key'
  return {
    cryptoAlg: 'ECDH',
    curve: 'Curve25519',
    dhPublicKey: { expiry: expiryOf(tx).toISOString(), parameters, keyValue: key.keyValue },
    nonce: key.nonce,
  }
}

async function contextsByHip(tx: Tx, ask: OwnFetchAsk): Promise<ReadonlyMap<FacilityId, readonly CareContextRef[]>> {
  const byHip = new Map<FacilityId, CareContextRef[]>()
  for (const { hip, hiType, patientReference, careContextReference } of await careContextsOf(tx, ask.patient)) {
    if (ask.hips !== undefined && !ask.hips.includes(hip)) continue
    if (ask.hiTypes !== undefined && !ask.hiTypes.includes(hiType)) continue
    const contexts = byHip.get(hip) ?? []
    const isKnown = contexts.some(
      (own) => own.patientReference === patientReference && own.careContextReference === careContextReference,
    )
    if (!isKnown) contexts.push({ patientReference, careContextReference })
    byHip.set(hip, contexts)
  }
  return byHip
}

/** A patient has a few pages open at most: the oldest of more is emptied. */
async function makeRoom(tx: Tx, needs: OwnFetchNeeds, patient: AbhaAddress): Promise<void> {
  const before = await findOwnFetchesOf(tx, patient)
  for (const { id } of before.slice(LIMITS.ownFetchesLiveMax - 1)) {
    const own = await findOwnFetch(tx, id, true)
    if (own !== undefined) await endOwnFetch(tx, needs, own, 'replaced')
  }
}

/** Routes the request for one hospital once it has acknowledged the consent; the gate decides, as for every requester. */
export async function requestIfAcknowledged(
  tx: Tx,
  needs: OwnFetchNeeds,
  own: OwnFetch,
  holder: Holder,
): Promise<void> {
  const artefact = holder.artefact && (await artefactById(tx, holder.artefact))
  if (artefact === undefined || holder.status !== 'asking') return
  const request = await requestData(tx, {
    hiu: artefact.hiu,
    consent: artefact.id,
    keyMaterial: { ...own.key, dhPublicKey: { ...own.key.dhPublicKey, expiry: new Date(own.key.dhPublicKey.expiry) } },
    requestId: own.id,
    ...(own.dateRange === undefined ? {} : { dateRange: own.dateRange }),
  })
  if (isRefusal(request)) {
    if (request.code === 'transfer/not-acknowledged') return
    return failHolder(tx, needs, own, holder, { code: 'not-permitted', says: request.detail })
  }
  const token = makeToken(tx, bucketOf(own.patient))
  const recorded = await record(tx, {
    type: 'transfer.own-copy-requested',
    actor: { kind: 'exchange', id: needs.exchange.id },
    patient: own.patient,
    subject: request.id,
    fetch: own.id,
    hip: holder.hip,
    consent: artefact.id,
  } satisfies OwnCopyRequested)
  await updateHolder(
    tx,
    recorded,
    holder,
    { status: 'requested', transaction: request.id },
    { text: token, hash: hashOfToken(token), patient: own.patient },
  )
  await announce(tx, recorded)
}

/** The token tells the bucket of its fetch, and nothing else. Characters as ABDM allows in a dataPushUrl (protocol sheet 1.2 (3)). */
function makeToken(tx: Tx, bucket: Bucket): string {
  return `${bucket.toString(16).padStart(2, '0')}${Buffer.from(tx.random(24)).toString('base64url')}`
}

/** Where the fetch of this token is, and by which hash it is found; undefined when it is no token. */
export function placeOfToken(token: string): { readonly bucket: Bucket; readonly hash: Uint8Array } | undefined {
  const hex = TOKEN.exec(token)?.[1]
  return hex === undefined ? undefined : { bucket: toBucket(Number.parseInt(hex, 16)), hash: hashOfToken(token) }
}

function hashOfToken(token: string): Uint8Array {
  return new Uint8Array(createHash('sha256').update(token).digest())
}

/** What the hospital is sent for the patient's own copy. */
export async function readOwnRequest(
  tx: Tx,
  needs: OwnFetchNeeds,
  request: Pick<DataRequest, 'id'>,
): Promise<{ readonly key: PassedKey; readonly dataPushUrl: string }> {
  const holder = await findHolderOfTransaction(tx, request.id)
  const own = holder && (await findOwnFetch(tx, holder.fetch))
  const token = holder && own && (await openToken(tx, holder, own.patient))
  if (own === undefined || token === undefined) throw new Error(`the own fetch of transaction ${request.id} is gone`)
  return { key: own.key, dataPushUrl: `${needs.publicUrl}${MAILBOX_PATH}${token}` }
}

/** How a fetch stands, for the patient whose it is; for others it does not exist. */
export async function readOwnFetch(
  tx: Tx,
  patient: AbhaAddress,
  id: Id<'own-fetch'>,
): Promise<{ readonly own: OwnFetch; readonly holders: readonly Holder[] } | Refusal> {
  // The hospitals first: what comes meanwhile then counts as not collected yet of one that still sends, and is never taken for the end.
  const holders = await findHolders(tx, id)
  const own = await liveFetch(tx, patient, id)
  return isRefusal(own) ? own : { own, holders }
}

/** The fetch if it is this patient's and not over; locked when it is to be changed. */
export async function liveFetch(
  tx: Tx,
  patient: AbhaAddress,
  id: Id<'own-fetch'>,
  lock = false,
): Promise<OwnFetch | Refusal> {
  const own = await findOwnFetch(tx, id, lock)
  return own?.patient === patient && own.expiresAt > tx.now ? own : refuse('transfer/unknown-fetch')
}

/** The patient leaves: what waits is deleted now, and hospitals cannot push to it any more. */
export async function closeOwnFetch(
  tx: Tx,
  needs: OwnFetchNeeds,
  patient: AbhaAddress,
  id: Id<'own-fetch'>,
): Promise<true | Refusal> {
  const own = await liveFetch(tx, patient, id, true)
  if (isRefusal(own)) return own
  await endOwnFetch(tx, needs, own, 'closed')
  return true
}

/**
 * Records that the patient takes her copy out of the page. The documents are in the memory of her page alone, which makes the file or
 * the paper after this; the route asks for a proof anew.
 */
export async function noteExported(
  tx: Tx,
  input: { readonly patient: AbhaAddress; readonly actor: Actor; readonly form: OwnCopyExported['form'] },
): Promise<void> {
  await announce(tx, await record(tx, { type: 'transfer.own-copy-exported', ...input } satisfies OwnCopyExported))
}

/** The hospital of a fetch, read again under the lock of the fetch. */
export async function lockedHolder(
  tx: Tx,
  { fetch, hip }: Pick<Holder, 'fetch' | 'hip'>,
): Promise<{ readonly own: OwnFetch; readonly holder: Holder } | undefined> {
  const own = await findOwnFetch(tx, fetch, true)
  const holder = own && (await findHolder(tx, fetch, hip))
  return own === undefined || holder === undefined ? undefined : { own, holder }
}
