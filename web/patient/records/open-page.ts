import { compareChecksumInBrowser, openInBrowser } from '../../../src/crypto/browser-sealing.ts'
import { type KeyPair, parseNonce } from '../../../src/crypto/key-agreement.ts'
import { type PeerKey, parsePeerKey } from '../../../src/crypto/key-material.ts'
import { isRefusal } from '../../../src/kernel/refusal.ts'
import type { PageView } from '../../../src/native/me-record-routes.ts'
import type { Opening, OpeningFault } from '../../../src/transfer/own-fetch.ts'

/** One document as it came, opened on this device. */
export type OwnDocument = {
  /** The same for a page that came twice. */
  readonly key: string
  readonly hip: string
  readonly careContextReference: string
  /** The very text that the hospital sealed, for the download. */
  readonly text: string
  readonly document: object
  /** The check number that the hospital sent is not that of the document. */
  readonly checksumDiffers: boolean
}
export type Unopened = {
  readonly key: string
  readonly hip: string
  readonly careContextReference: string
  readonly fault: OpeningFault
}
export type OpenedPage = {
  readonly documents: readonly OwnDocument[]
  readonly unopened: readonly Unopened[]
  /** What the exchange is told: which opened and which did not, and nothing of what is in them. */
  readonly entries: readonly Opening[]
}

/** The secrets of one look: made in this page, kept in its memory. */
export type PageKeys = { readonly own: KeyPair; readonly nonce: string }

/** Opens a sealed page. What does not open is named with its fault; the rest of the page is fine nevertheless. */
export async function openPage(keys: PageKeys, page: PageView): Promise<OpenedPage> {
  const peer = parsePeerKey(page.keyMaterial.keyValue)
  const peerNonce = parseNonce(page.keyMaterial.nonce)
  const documents: OwnDocument[] = []
  const unopened: Unopened[] = []
  for (const [at, entry] of page.entries.entries()) {
    const about = {
      key: `${page.hip} ${page.number} ${at}`,
      hip: page.hip,
      careContextReference: entry.careContextReference,
    }
    const opened = isRefusal(peer) || isRefusal(peerNonce) ? 'bad-key' : await openEntry(keys, peer, peerNonce, entry)
    if (typeof opened === 'string') unopened.push({ ...about, fault: opened })
    else documents.push({ ...about, ...opened })
  }
  const entries = [
    ...documents.map(({ careContextReference }) => ({ careContextReference })),
    ...unopened.map(({ careContextReference, fault }) => ({ careContextReference, fault })),
  ]
  return { documents, unopened, entries }
}

async function openEntry(
  keys: PageKeys,
  peer: PeerKey,
  peerNonce: Uint8Array,
  { content, checksum }: PageView['entries'][number],
): Promise<OpeningFault | Pick<OwnDocument, 'text' | 'document' | 'checksumDiffers'>> {
  if (content === undefined) return 'by-link'
  const bytes = await openInBrowser({ own: keys.own, ownNonce: keys.nonce, peer, peerNonce, content })
  if (isRefusal(bytes)) return 'not-authentic'
  const read = readJson(bytes)
  if (read === undefined) return 'not-readable'
  const checksumDiffers = checksum !== undefined && compareChecksumInBrowser(checksum, bytes) === 'different'
  return { ...read, checksumDiffers }
}

function readJson(bytes: Uint8Array): { readonly text: string; readonly document: object } | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    const document: unknown = JSON.parse(text)
    return typeof document === 'object' && document !== null && 'resourceType' in document
      ? { text, document }
      : undefined
  } catch {
    // Neither UTF-8 nor JSON: told as not readable.
    return undefined
  }
}
