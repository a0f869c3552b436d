import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import type { LogSource } from './verify.ts'

const BYTES_MAX = 64 * 1024 * 1024
const TIMEOUT_MS = 10_000

/** A log as files below a folder, in the paths of C2SP tlog-tiles (entry bundles may be gzipped). */
export function folderSource(folder: string): LogSource {
  return {
    name: folder,
    read: async (path) => {
      try {
        const bytes = await readFile(join(folder, path))
        const isGzip = path.startsWith('tile/entries/') && bytes[0] === 0x1f && bytes[1] === 0x8b
        return isGzip ? gunzipSync(bytes, { maxOutputLength: BYTES_MAX }) : bytes
      } catch (error) {
        if (isMissing(error)) return undefined
        throw error
      }
    },
  }
}

/** A log over HTTP; `prefix` is the URL in front of `/checkpoint`. Throws when the server does not answer or answers 5xx. */
export function httpSource(prefix: string, fetching: typeof fetch): LogSource {
  const base = prefix.replace(/\/+$/, '')
  return {
    name: base,
    read: async (path) => {
      const answer = await fetching(`${base}/${path}`, { redirect: 'error', signal: AbortSignal.timeout(TIMEOUT_MS) })
      if (answer.status === 404 || answer.status === 410) {
        await answer.body?.cancel()
        return undefined
      }
      if (answer.status !== 200) throw new Error(`${base}/${path} answered ${answer.status}`)
      return new Uint8Array(await answer.arrayBuffer())
    },
  }
}

function isMissing(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return code === 'ENOENT' || code === 'ENOTDIR' || code === 'EISDIR'
}
