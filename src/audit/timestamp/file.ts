import type { X509Certificate } from 'node:crypto'
import { z } from 'zod'
import { decodeBase64, encodeBase64 } from '../../crypto/base64.ts'
import { isRefusal, type Refusal, refuse } from '../../kernel/refusal.ts'
import { type Stamp, verifyStamp } from './token.ts'

/** A time-stamp with what it stamps: all that a reader needs who asks nobody. */
const stampFile = z.object({
  amanat: z.literal('timestamp/v1'),
  /** A checkpoint as the log signed it, without cosignatures: its UTF-8 bytes were stamped. */
  checkpoint: z.string(),
  /** A TimeStampToken (RFC 3161) in base64. */
  token: z.string(),
})

/** The file for a stamped checkpoint. */
export function makeStampFile(checkpoint: string, token: Uint8Array): z.output<typeof stampFile> {
  return { amanat: 'timestamp/v1', checkpoint, token: encodeBase64(token) }
}

/** Reads such a file and checks its time-stamp; whether the checkpoint is the log's is for the caller to check. */
export function readStampFile(
  json: string,
  roots: readonly X509Certificate[],
): (Stamp & { readonly checkpoint: string }) | Refusal {
  const file = parseFile(json)
  const token = file && decodeBase64(file.token)
  if (file === undefined || token === undefined)
    return refuse('log/proof-malformed', 'This is no time-stamp as a log serves it (amanat: timestamp/v1).')
  const stamp = verifyStamp(token, { bytes: new TextEncoder().encode(file.checkpoint), roots })
  return isRefusal(stamp) ? stamp : { ...stamp, checkpoint: file.checkpoint }
}

function parseFile(json: string): z.output<typeof stampFile> | undefined {
  try {
    return stampFile.safeParse(JSON.parse(json)).data
  } catch {
    // Not JSON.
    return undefined
  }
}
