import { createHash } from 'node:crypto'
import type { Bundle } from 'fhir/r4.js'
import type { Access } from '../audit/access.ts'
import { checksumOf } from '../crypto/checksum.ts'
import { makeKeyMaterial, makeNonce, parseNonce } from '../crypto/key-agreement.ts'
import { parsePeerKey } from '../crypto/key-material.ts'
import { makeKeyPair, seal } from '../crypto/sealing.ts'
import { type Machine, type Random, transact } from '../db/tx.ts'
import { buildDocument } from '../fhir/build/document.ts'
import { type Finding, hasErrors } from '../fhir/findings.ts'
import { narrow } from '../fhir/narrow.ts'
import { validateDocument } from '../fhir/validate.ts'
import { makeId, toBucket } from '../kernel/id.ts'
import { LIMITS } from '../kernel/limits.ts'
import { isRefusal, must, type Refusal, refuse } from '../kernel/refusal.ts'
import { admits } from '../policy/decide.ts'
import type { Decision } from '../policy/gate.ts'
import { readPatient } from '../records/commands.ts'
import { readDocument } from '../records/document-bytes.ts'
import { isAbout } from '../records/identity.ts'
import type { FacilityPatient } from '../records/patient.ts'
import { type RecordContent, type RecordHead, type RecordSource, SourceUnavailable } from '../records/record.ts'
import { type Scanner, scanDocument } from '../records/scanner.ts'
import type { ArtefactDetail } from './artefact.ts'
import { isLinkedTo } from './store-links.ts'
import type { SealedPage } from './store-transfers.ts'
import type { Omissions, Transfer } from './transfer.ts'

/** A document that may be sent, byte for byte as it will be. */
type Ready = { readonly head: RecordHead; readonly text: Uint8Array | string; readonly narrowed: boolean }
export type Collected = { readonly pages: readonly SealedPage[]; readonly omissions: Omissions }

/**
 * Collects what a transfer may send: records of the artefact's care contexts that the gate admits, built or as others made them, cut
 * down to the consent, strictly valid, each sealed for the requester with keys of its own. What cannot be sent is told per care
 * context. Throws `SourceUnavailable` when a source, or the scanner for malware, does not answer.
 */
export async function collect(
  machine: Machine,
  { sources, scanner }: { readonly sources: readonly RecordSource[]; readonly scanner?: Scanner },
  transfer: Transfer,
  detail: ArtefactDetail,
  decision: Decision,
  access: Access,
): Promise<Collected> {
  const ready: Ready[] = []
  const omissions = new Map<string, string>()
  const omit = (context: string, why: string): void =>
    void omissions.set(context, [omissions.get(context), why].filter(Boolean).join(' '))
  for (const reference of new Set(detail.careContexts.map((context) => context.patientReference))) {
    const own = detail.careContexts.filter((context) => context.patientReference === reference)
    const patient = await patientOf(machine, reference, detail)
    if (isRefusal(patient)) {
      for (const context of own) omit(context.careContextReference, patient.detail)
      continue
    }
    for (const source of sources) {
      for (const head of await source.list(machine, patient)) {
        const careContext = { patientReference: reference, careContextReference: head.careContextReference }
        if (!admits(decision, { type: head.hiType, date: head.date, careContext })) continue
        const document = await prepare(machine, source, patient, head, { transfer, detail, access, scanner })
        if (isRefusal(document)) omit(head.careContextReference, document.detail)
        else if (document !== undefined) ready.push(document)
      }
    }
  }
  const pages = ready.map((document, number) =>
    sealPage(machine.random, machine.now(), transfer, document, number, ready.length),
  )
  return dropTooLarge(pages, omissions)
}

/** The local patient, if it is the consenting one: by its own ABHA address, or by a link that the exchange confirmed. */
async function patientOf(
  machine: Machine,
  reference: string,
  detail: ArtefactDetail,
): Promise<FacilityPatient | Refusal> {
  return transact(machine, async (tx) => {
    const patient = await readPatient(tx, reference)
    if (isRefusal(patient)) return refuse('records/unknown-patient', 'This facility has no such patient.')
    if (patient.abhaAddress === detail.patient.id) return patient
    const linked = await isLinkedTo(tx, reference, detail.patient.id)
    return linked ? patient : refuse('records/unknown-patient', 'This facility has no such patient.')
  })
}

/** One document, ready to be sent; undefined when the consent leaves nothing of it; a refusal says why it cannot be. */
async function prepare(
  machine: Machine,
  source: RecordSource,
  patient: FacilityPatient,
  head: RecordHead,
  under: {
    readonly transfer: Transfer
    readonly detail: ArtefactDetail
    readonly access: Access
    readonly scanner: Scanner | undefined
  },
): Promise<Ready | Refusal | undefined> {
  const { transfer, detail, access, scanner } = under
  const content = await source.read(machine, patient, head, access)
  if (isRefusal(content)) return content
  const made = documentOf(machine, patient, content)
  if (isRefusal(made)) return made
  const narrowed = narrow(made.bundle, { hiTypes: detail.hiTypes, from: transfer.range.from, to: transfer.range.to })
  if (narrowed.outcome === 'withheld') return refuse('hip/not-permitted', `Not sent: ${narrowed.why}`)
  const unsafe = scanner && (await scanDocument(scanner, narrowed.document))
  if (unsafe?.mayTryAgain) throw new SourceUnavailable(unsafe.refusal.detail)
  if (unsafe !== undefined) return unsafe.refusal
  const findings = validateDocument(narrowed.document, 'strict')
  if (hasErrors(findings)) return refuse('fhir/invalid', describe(findings))
  const whole = narrowed.outcome === 'whole'
  return {
    head,
    text: whole && content.form === 'document' ? content.bytes : JSON.stringify(narrowed.document),
    narrowed: !whole,
  }
}

function documentOf(
  machine: Machine,
  patient: FacilityPatient,
  content: RecordContent,
): { readonly bundle: Bundle } | Refusal {
  if (content.form === 'input') {
    const makeUuid = (): string =>
      makeId<'resource'>(machine.now(), machine.random, toBucket(machine.random(1)[0] ?? 0))
    return { bundle: buildDocument(content.input, { bundleId: content.bundleId, now: machine.now(), makeUuid }) }
  }
  const document = readDocument(content.bytes)
  if (isRefusal(document)) return document
  if (isAbout(document.identity, patient) === 'no') return refuse('fhir/other-patient')
  return { bundle: document.bundle as Bundle }
}

/** Path and rule of the first errors; values and messages of a document stay here. */
function describe(findings: readonly Finding[]): string {
  const errors = findings.filter(({ severity }) => severity === 'error')
  const shown = errors.slice(0, 3).map(({ path, rule }) => `${path.replaceAll(/\('[^']*'\)/g, '')}: ${rule}`)
  const more = errors.length > shown.length ? ` (and ${errors.length - shown.length} more)` : ''
  return `The document is not valid: ${shown.join('; ')}${more}.`
}

/** One entry a page, with a key pair and a nonce of its own: the protocol would use key and IV twice otherwise (sheet 6.2). */
function sealPage(
  random: Random,
  now: Date,
  transfer: Transfer,
  { head, text, narrowed }: Ready,
  number: number,
  pageCount: number,
): SealedPage {
  const own = makeKeyPair(random)
  const ownNonce = makeNonce(random)
  const peer = must(parsePeerKey(transfer.keys.keyValue))
  const peerNonce = must(parseNonce(transfer.keys.nonce))
  const expiry = new Date(Math.max(transfer.deadline.getTime(), now.getTime()) + LIMITS.transferMs)
  const entry = {
    content: seal({ own, ownNonce, peer, peerNonce, plaintext: text }),
    media: 'application/fhir+json',
    checksum: checksumOf(text),
    careContextReference: head.careContextReference,
  }
  const keyMaterial = makeKeyMaterial(own, ownNonce, expiry, 'x509')
  const body = JSON.stringify({
    pageNumber: number,
    pageCount,
    transactionId: transfer.transactionId,
    entries: [entry],
    keyMaterial,
  })
  const documentHash = createHash('sha256').update(text).digest()
  return { number, careContextReference: head.careContextReference, hiType: head.hiType, narrowed, documentHash, body }
}

/** Leaves out pages that no receiver takes, and counts the others anew. */
function dropTooLarge(pages: readonly SealedPage[], omissions: Map<string, string>): Collected {
  const fitting = pages.filter((page) => page.body.length <= LIMITS.pushBodyBytesMax)
  for (const page of pages) {
    if (!fitting.includes(page))
      omissions.set(
        page.careContextReference,
        `A document is too large to be sent: a page may have ${LIMITS.pushBodyBytesMax} bytes.`,
      )
  }
  if (fitting.length === pages.length) return { pages, omissions: Object.fromEntries(omissions) }
  const renumbered = fitting.map((page, number) => {
    const body = JSON.parse(page.body) as object
    return { ...page, number, body: JSON.stringify({ ...body, pageNumber: number, pageCount: fitting.length }) }
  })
  return { pages: renumbered, omissions: Object.fromEntries(omissions) }
}
