import { createHash } from 'node:crypto'
import { dataNotify } from '../src/abdm/data-messages.ts'
import { makeKeyMaterial, makeNonce, parseNonce } from '../src/crypto/key-agreement.ts'
import { parsePeerKey } from '../src/crypto/key-material.ts'
import { makeKeyPair, seal } from '../src/crypto/sealing.ts'
import { sampleDocument } from '../src/fhir/sample-documents.ts'
import { must } from '../src/kernel/refusal.ts'
import { type Asked, type HiuBench, PATIENT } from './hiu-bench.ts'

export type Item = {
  readonly careContext: string
  readonly text: string
  readonly checksum?: string
  readonly link?: string
}
type Paging = { readonly pageNumber?: number; readonly pageCount?: number }

/** Seals documents as a provider does, all of a page by one key pair and nonce. */
export function sealPage(
  bench: HiuBench,
  asked: Asked,
  items: readonly Item[],
  paging: Paging,
): { readonly body: PushBody; readonly contents: readonly string[] } {
  const own = makeKeyPair(bench.machine.random)
  const ownNonce = makeNonce(bench.machine.random)
  const peer = must(parsePeerKey(asked.keyMaterial.dhPublicKey.keyValue))
  const peerNonce = must(parseNonce(asked.keyMaterial.nonce))
  const contents = items.map(({ text }) => seal({ own, ownNonce, peer, peerNonce, plaintext: text }))
  const entries = items.map(({ careContext, text, checksum, link }, i) => ({
    ...(link === undefined ? { content: contents[i] } : { link }),
    media: 'application/fhir+json',
    checksum: checksum ?? createHash('md5').update(text).digest('hex'),
    careContextReference: careContext,
  }))
  const keyMaterial = makeKeyMaterial(own, ownNonce, new Date(bench.clock.now().getTime() + 3_600_000), 'x509')
  return { body: { ...paging, transactionId: asked.transactionId, entries, keyMaterial }, contents }
}

export type PushBody = Paging & {
  readonly transactionId: string
  readonly entries: readonly {
    readonly content?: string | undefined
    readonly link?: string
    readonly careContextReference: string
  }[]
  readonly keyMaterial: { readonly dhPublicKey: { readonly keyValue: string }; readonly nonce: string }
}

type Person = { readonly abhaAddress?: string; readonly abhaNumber?: string; readonly name?: string }

/** A sample document, dated within the consent, about the test patient or about `person`. */
export function documentText(
  type: 'Prescription' | 'DiagnosticReport' | 'OPConsultation' = 'Prescription',
  changes: { readonly date?: string; readonly person?: Person; readonly note?: string } = {},
): string {
  const document = structuredClone(sampleDocument(type)) as {
    entry: { resource: Record<string, unknown> }[]
    identifier?: unknown
  }
  for (const { resource } of document.entry) {
    if (resource['resourceType'] === 'Composition') resource['date'] = changes.date ?? '2024-03-05T10:00:00+05:30'
    if (resource['resourceType'] !== 'Patient') continue
    const { abhaAddress = PATIENT, abhaNumber, name = 'Asha Rao' } = changes.person ?? {}
    const type = { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0203', code: 'MR' }] }
    resource['identifier'] = [
      { type, system: 'https://healthid.abdm.gov.in', value: abhaAddress },
      ...(abhaNumber === undefined ? [] : [{ type, system: 'https://healthid.abdm.gov.in', value: abhaNumber }]),
    ]
    resource['name'] = [{ text: name }]
  }
  return JSON.stringify({
    ...document,
    identifier: { system: 'https://example.org/documents', value: changes.note ?? 'document-1' },
  })
}

export type Transfer = {
  readonly id: string
  readonly status: string
  readonly pagesMissing: number
  readonly pages: readonly {
    readonly number: number
    readonly status: string
    readonly findings: readonly { readonly says: string }[]
  }[]
  readonly careContexts: readonly {
    readonly careContextReference: string
    readonly status: string
    readonly documents: number
    readonly reason?: string
  }[]
}
export type Listed = {
  readonly id: string
  readonly status: string
  readonly hiType: string
  readonly sha256: string
  readonly reason?: string
  readonly artefact: string
}

export const NOTIFY = '/data-flow/v3/health-information/notify'

/** What the facility shows of the transfers under a consent, and of the records that it holds. */
export async function transfersOf(bench: HiuBench, asked: Asked): Promise<readonly Transfer[]> {
  const { artefacts } = (await bench.native('GET', `/v1/consent-requests/${asked.own}`)).json as {
    artefacts: { transfers: Transfer[] }[]
  }
  return artefacts[0]?.transfers ?? []
}

export async function lastTransfer(bench: HiuBench, asked: Asked): Promise<Transfer> {
  const found = (await transfersOf(bench, asked)).at(-1)
  if (found === undefined) throw new Error('there is no transfer')
  return found
}

export async function recordsOf(bench: HiuBench, asked: Asked): Promise<readonly Listed[]> {
  const { records } = (await bench.native('GET', `/v1/records?limit=100&patient=${encodeURIComponent(PATIENT)}`))
    .json as {
    records: Listed[]
  }
  return records.filter(({ artefact }) => artefact === asked.consentId)
}

/** What the exchange was last told of how the transfer ended. */
export function notified(bench: HiuBench, asked: Asked) {
  const told = bench.sent.flatMap(({ path, body }) => (path === NOTIFY ? [dataNotify.parse(body).notification] : []))
  return told.filter(({ consentId }) => consentId === asked.consentId)
}

export const LOOK = { person: { name: 'Dr. Nikhil Sagar', role: 'doctor' }, purpose: 'CAREMGT' }
