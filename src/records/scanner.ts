import { LIMITS } from '../kernel/limits.ts'
import { type Refusal, refuse } from '../kernel/refusal.ts'

/** What a scanner for malware says of some bytes. Only `clean` lets them through. */
export type Verdict =
  | { readonly kind: 'clean' }
  | { readonly kind: 'found'; readonly name: string }
  /** It has not looked at all of them; `mayTryAgain`: later it might. */
  | { readonly kind: 'not-scanned'; readonly why: string; readonly mayTryAgain: boolean }

export type Scanner = {
  readonly scan: (bytes: Uint8Array) => Promise<Verdict>
  /** What is missing for operators to see, since the last look. */
  readonly trouble: () => string | undefined
}

/** Refused for what was found or not looked at; `mayTryAgain` only when nobody has looked. */
export type Unsafe = { readonly refusal: Refusal; readonly mayTryAgain: boolean }

/**
 * Lets a scanner look at every attachment of a document, or of the facts that one is built from. `records/infected`, or
 * `records/not-scanned` when it has not looked at all: what nobody has looked at is neither taken, nor sent, nor shown.
 */
export async function scanDocument(scanner: Pick<Scanner, 'scan'>, document: unknown): Promise<Unsafe | undefined> {
  for (const bytes of attachmentsOf(document)) {
    const verdict = await scanner.scan(bytes)
    if (verdict.kind === 'found') return { refusal: refuse('records/infected'), mayTryAgain: false }
    if (verdict.kind === 'not-scanned')
      return {
        refusal: refuse('records/not-scanned', `The scanner did not look at an attachment: ${verdict.why}.`),
        mayTryAgain: verdict.mayTryAgain,
      }
  }
  return undefined
}

/** {@link scanDocument} while somebody waits for the answer of a call: within `LIMITS.scanInCallMsMax`, or nobody has looked. */
export async function scanInCall({ scan }: Pick<Scanner, 'scan'>, document: unknown): Promise<Unsafe | undefined> {
  const late: Verdict = { kind: 'not-scanned', why: 'it took too long', mayTryAgain: true }
  const over = Promise.withResolvers<Verdict>()
  const timer = setTimeout(() => over.resolve(late), LIMITS.scanInCallMsMax)
  try {
    return await scanDocument({ scan: (bytes) => Promise.race([over.promise, scan(bytes)]) }, document)
  } finally {
    clearTimeout(timer)
  }
}

/** The bytes of all members named `data`, wherever they stand (FHIR R4 Attachment, Binary, Signature): base64, or else as they are. */
export function attachmentsOf(value: unknown): readonly Uint8Array[] {
  if (Array.isArray(value)) return value.flatMap(attachmentsOf)
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([name, member]) =>
    name === 'data' && typeof member === 'string' && member !== '' ? bytesOf(member) : attachmentsOf(member),
  )
}

/** FHIR lets blanks stand in base64. What is none may be read in two ways: as the text that it is, and as who is less strict would. */
function bytesOf(data: string): readonly Uint8Array[] {
  const dense = data.replaceAll(/\s/g, '')
  const bytes = Buffer.from(dense, 'base64')
  return /^[A-Za-z0-9+/]+={0,2}$/.test(dense) ? [bytes] : [Buffer.from(data), bytes]
}
