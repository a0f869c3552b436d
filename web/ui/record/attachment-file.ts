import type { ShownAttachment } from '../../../src/fhir/show-rows.ts'

/** `image` and `pdf` are shown; what is `other` is only ever downloaded; `damaged` is no base64. */
export type AttachmentKind = 'image' | 'pdf' | 'other' | 'damaged'
export type AttachmentFile = {
  readonly kind: AttachmentKind
  /** It calls itself something that its bytes are not. */
  readonly isMisnamed: boolean
  readonly blob?: Blob
  readonly fileName: string
}

/** First bytes of what a page may show. Never by the name alone: a blob has the rights of our own pages, and HTML or SVG could run. */
const MAGIC: readonly (readonly [type: string, bytes: readonly number[], at: number])[] = [
  ['application/pdf', [0x25, 0x50, 0x44, 0x46, 0x2d], 0],
  ['image/png', [0x89, 0x50, 0x4e, 0x47], 0],
  ['image/jpeg', [0xff, 0xd8, 0xff], 0],
  ['image/gif', [0x47, 0x49, 0x46, 0x38], 0],
  ['image/webp', [0x57, 0x45, 0x42, 0x50], 8],
]
const ENDINGS: Readonly<Record<string, string>> = {
  'application/pdf': 'pdf',
  'image/png': 'png',
  'image/jpeg': 'jpg',
  'image/gif': 'gif',
  'image/webp': 'webp',
  'text/plain': 'txt',
}

/** Decodes a file of a document. Its type comes from its first bytes; anything else becomes plain bytes that no browser runs. */
export function openAttachment({ data, contentType, title }: ShownAttachment): AttachmentFile {
  const bytes = decode(data)
  const claimed = (contentType.split(';')[0] ?? '').trim().toLowerCase()
  if (bytes === undefined || bytes.length === 0)
    return { kind: 'damaged', isMisnamed: false, fileName: fileName(title, claimed) }
  const found = MAGIC.find(([, magic, at]) => magic.every((byte, i) => bytes[at + i] === byte))?.[0]
  const type = found ?? 'application/octet-stream'
  const isShown = claimed === 'image/jpg' || claimed in ENDINGS || claimed.startsWith('image/')
  return {
    kind: found === undefined ? 'other' : found === 'application/pdf' ? 'pdf' : 'image',
    isMisnamed: found === undefined && isShown && claimed !== 'text/plain',
    blob: new Blob([bytes], { type }),
    fileName: fileName(title, found ?? claimed),
  }
}

function decode(data: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    return Uint8Array.from(atob(data.replaceAll('-', '+').replaceAll('_', '/')), (c) => c.codePointAt(0) ?? 0)
  } catch {
    // Not base64: the reader is told that the file is damaged.
    return undefined
  }
}

/** A name that no file system reads as a path or a program. */
function fileName(title: string, type: string): string {
  const words = title
    .replaceAll(/[^\p{L}\p{M}\p{N} _-]+/gu, ' ')
    .trim()
    .slice(0, 80)
  return `${words === '' ? 'document' : words}.${ENDINGS[type] ?? 'bin'}`
}
