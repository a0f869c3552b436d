import { createHash } from 'node:crypto'
import { announce, type Recorded, record } from '../audit/record.ts'
import { compareChecksum } from '../crypto/checksum.ts'
import { type KeyPair, parseNonce } from '../crypto/key-agreement.ts'
import { type PeerKey, parsePeerKey } from '../crypto/key-material.ts'
import { importPrivateKey, open } from '../crypto/sealing.ts'
import type { Tx } from '../db/tx.ts'
import type { Finding } from '../fhir/findings.ts'
import { validateDocument } from '../fhir/validate.ts'
import { bucketOf } from '../kernel/bucket.ts'
import { type Id, makeId } from '../kernel/id.ts'
import { isRefusal, type Refusal, refuse } from '../kernel/refusal.ts'
import { findPatients } from '../records/commands.ts'
import { type ForeignDocument, readDocument } from '../records/document-bytes.ts'
import { type Expected, nameWarning, quarantineReason } from './document.ts'
import { saveDocument } from './document-store.ts'
import type { PageEvent, PageFinding } from './hiu.ts'
import type { Fetched } from './links.ts'
import { openStoredPage } from './page-body-store.ts'
import { type OpenPage, type PageBody, pageEvent } from './pages.ts'
import { endTransfer, type RequestNeeds } from './requests.ts'
import { findArtefact, type Granted } from './store.ts'
import { type EntryResult, isComplete } from './transfer.ts'
import { type DataRequest, findRequest, lockRequest, openSecret, pagesOf, settlePage } from './transfer-store.ts'

export type OpenNeeds = RequestNeeds & { readonly indexKey: Uint8Array }

/** The documents of a page that can be opened, for a scanner to look at before any is kept; none when the page waits no more. */
export async function readPage(
  tx: Tx,
  { request: id, page }: OpenPage,
  fetched: ReadonlyMap<number, Fetched>,
): Promise<readonly { readonly entry: number; readonly document: object }[]> {
  const request = await findRequest(tx, id)
  const body = request && ((await openStoredPage(tx, request, page)) as PageBody | undefined)
  if (request === undefined || body === undefined) return []
  const keys = await keysOf(tx, request, body)
  if (isRefusal(keys)) return []
  return body.entries.flatMap(({ content }, entry) => {
    const there = fetched.get(entry)
    const sealedText = content ?? (there !== undefined && 'content' in there ? there.content : undefined)
    const bytes = sealedText === undefined ? undefined : open({ ...keys, content: sealedText })
    const read = bytes === undefined || isRefusal(bytes) ? undefined : readDocument(bytes)
    return read === undefined || isRefusal(read) ? [] : [{ entry, document: read.bundle }]
  })
}

/** Opens a stored page with the keys of its own request, checks each document, and keeps, quarantines or reports it. `unsafe`: what a scanner has against entries. */
export async function openPage(
  tx: Tx,
  needs: OpenNeeds,
  { request: id, page: number }: OpenPage,
  fetched: ReadonlyMap<number, Fetched>,
  unsafe: ReadonlyMap<number, Refusal>,
): Promise<void> {
  const request = await lockRequest(tx, id)
  const body = request && ((await openStoredPage(tx, request, number)) as PageBody | undefined)
  const artefact = request && (await findArtefact(tx, request.patient, request.artefact))
  const granted = artefact?.status === 'granted' ? artefact.granted : undefined
  if (request === undefined || body === undefined || granted === undefined) return
  const keys = await keysOf(tx, request, body)
  const expected = await whom(tx, needs, request)
  const checks = body.entries.map((entry, index) =>
    checkEntry({ keys, entry, fetched: fetched.get(index), unsafe: unsafe.get(index), granted, expected }),
  )
  const recorded = await record<PageEvent>(tx, {
    ...pageEvent(needs, request, number),
    type: 'hiu.page-opened',
    entries: checks.map(entryForLog),
  })
  const entries = []
  for (const [entry, check] of checks.entries()) {
    const document = await keep(tx, recorded, request, granted, check)
    const { careContext: careContextReference, status, reason } = check
    entries.push({
      page: number,
      entry,
      careContextReference,
      status,
      ...(reason === undefined ? {} : { reason }),
      ...(document === undefined ? {} : { document }),
    })
  }
  const before = (await pagesOf(tx, request)).find((one) => one.number === number)?.findings ?? []
  const findings = [
    ...before,
    ...(isRefusal(keys)
      ? [{ severity: 'error' as const, says: `${keys.code}: ${keys.detail}` }]
      : keyWarnings(tx, body, keys.peer)),
    ...checks.flatMap(findingsOf),
  ]
  const failed = isRefusal(keys) || (checks.length > 0 && checks.every(({ status }) => status === 'errored'))
  await settlePage(tx, recorded, request, number, { status: failed ? 'failed' : 'opened', findings, entries })
  await announce(tx, recorded)
  if (isComplete(await pagesOf(tx, request), request.pageCount)) await endTransfer(tx, needs, request, 'complete')
}

function entryForLog({ careContext, status, reason, document }: Check): NonNullable<PageEvent['entries']>[number] {
  return {
    careContext,
    status,
    ...(document === undefined ? {} : { sha256: document.sha256 }),
    ...(reason === undefined ? {} : { reason }),
  }
}

function findingsOf({ notes, reason }: Check, entry: number): readonly PageFinding[] {
  const warnings = notes.map((says) => ({ entry, severity: 'warning' as const, says }))
  return reason === undefined ? warnings : [...warnings, { entry, severity: 'error', says: reason }]
}

type Keys = { readonly own: KeyPair; readonly ownNonce: string; readonly peer: PeerKey; readonly peerNonce: Uint8Array }

async function keysOf(tx: Tx, request: DataRequest, body: PageBody): Promise<Keys | Refusal> {
  const secret = await openSecret(tx, request)
  if (secret === undefined)
    return refuse('hiu/push-late', 'Our key for this request was destroyed before the page was opened.')
  const peer = parsePeerKey(body.key.keyValue)
  if (isRefusal(peer)) return peer
  const peerNonce = parseNonce(body.key.nonce)
  if (isRefusal(peerNonce)) return peerNonce
  return { own: importPrivateKey(secret.privateKey), ownNonce: secret.nonce, peer, peerNonce }
}

function keyWarnings(tx: Tx, { key }: PageBody, peer: PeerKey): readonly PageFinding[] {
  const says = [
    ...(peer.repaired ? ['The sender’s public key had lost bytes, which were put back.'] : []),
    ...(new Date(key.expiry) <= tx.now ? ['The sender’s public key had expired.'] : []),
    ...(/^curve25519$/i.test(key.curve) && /^ecdh$/i.test(key.algorithm)
      ? []
      : ['The key material does not call itself ECDH on Curve25519.']),
  ]
  return says.map((text) => ({ severity: 'warning', says: text }))
}

async function whom(tx: Tx, needs: OpenNeeds, request: DataRequest): Promise<Expected> {
  const [patient] = await findPatients(tx, needs, 'abha-address', request.patient)
  return {
    abhaAddress: request.patient,
    ...(patient?.abhaNumber === undefined ? {} : { abhaNumber: patient.abhaNumber }),
    ...(patient === undefined ? {} : { name: patient.name, birthDate: patient.birthDate }),
  }
}

type Check = {
  readonly careContext: string
  readonly status: EntryResult['status']
  readonly reason?: string
  /** Worth telling, no reason to refuse. */
  readonly notes: readonly string[]
  readonly document?: {
    readonly read: ForeignDocument
    readonly bytes: Uint8Array
    readonly findings: readonly Finding[]
    readonly sha256: string
  }
}

function checkEntry(input: {
  readonly keys: Keys | Refusal
  readonly entry: PageBody['entries'][number]
  readonly fetched: Fetched | undefined
  readonly unsafe: Refusal | undefined
  readonly granted: Granted
  readonly expected: Expected
}): Check {
  const { keys, entry, fetched, unsafe, granted, expected } = input
  const careContext = entry.careContextReference
  const errored = (reason: string, notes: readonly string[] = []): Check => ({
    careContext,
    status: 'errored',
    reason,
    notes,
  })
  if (isRefusal(keys)) return errored(`${keys.code}: ${keys.detail}`)
  if (unsafe !== undefined) return errored(`${unsafe.code}: ${unsafe.detail}`)
  if (fetched !== undefined && 'fault' in fetched)
    return errored(`The linked content could not be fetched: ${fetched.fault}`)
  if (entry.fault !== undefined) return errored(`The linked content could not be fetched: ${entry.fault}`)
  const content = entry.content ?? fetched?.content
  if (content === undefined) return errored('The linked content was not fetched.')
  const bytes = open({ ...keys, content })
  if (isRefusal(bytes)) return errored(`${bytes.code}: ${bytes.detail}`)
  const notes =
    entry.checksum !== undefined && compareChecksum(entry.checksum, bytes) === 'different'
      ? ['The checksum is not that of the document.']
      : []
  const read = readDocument(bytes)
  if (isRefusal(read)) return errored(`${read.code}: ${read.detail}`, notes)
  const findings = validateDocument(read.bundle, 'tolerant')
  const reason = quarantineReason(read, careContext, granted.terms, expected, findings)
  const warning = nameWarning(read.bundle, expected)
  return {
    careContext,
    status: reason === undefined ? 'held' : 'quarantined',
    ...(reason === undefined ? {} : { reason }),
    notes: warning === undefined ? notes : [...notes, warning],
    document: { read, bytes, findings, sha256: createHash('sha256').update(bytes).digest('hex') },
  }
}

/** Stores what opened; undefined when nothing did. */
async function keep(
  tx: Tx,
  recorded: Recorded<PageEvent>,
  request: DataRequest,
  granted: Granted,
  check: Check,
): Promise<Id<'hiu-document'> | undefined> {
  if (check.document === undefined || check.status === 'errored') return undefined
  const { read, bytes, findings, sha256 } = check.document
  const entry = {
    id: makeId<'hiu-document'>(tx.now, tx.random, bucketOf(request.patient)),
    artefact: request.artefact,
    patient: request.patient,
    status: check.status,
    hip: granted.hip.id,
    hiType: read.hiType,
    date: read.date,
    careContextReference: check.careContext,
    sha256,
    ...(check.reason === undefined ? {} : { reason: check.reason }),
  }
  return saveDocument(tx, recorded, entry, bytes, findings)
}
