import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const ROOT = join(import.meta.dirname, '..', '..')
/** Where the built apps lie. */
export const WEB_DIST = join(ROOT, 'web', 'dist')
export const STAMP_FILE = 'stamp.json'

/** Which sources a build was made from: path under the root to the start of its SHA-256, and the names of all files of web/. */
export type WebStamp = { readonly files: Readonly<Record<string, string>>; readonly names: string }

const digest = (bytes: Uint8Array | string): string => createHash('sha256').update(bytes).digest('hex').slice(0, 20)
const digestOf = (file: string): string => {
  const whole = join(ROOT, file)
  return existsSync(whole) ? digest(readFileSync(whole)) : 'gone'
}

/** The stamp of the sources as they lie there now. */
export function currentStamp(modules: readonly string[]): WebStamp {
  const fixed = ['package-lock.json', 'scripts/build-web.ts']
  const names = globSync('web/{ui,patient,desk,console,verify}/**/*.*', { cwd: ROOT }).toSorted()
  return {
    files: Object.fromEntries([...modules, ...fixed].map((file) => [file, digestOf(file)])),
    names: digest(names.join('\n')),
  }
}

/** Whether web/dist was made from the sources as they are now. */
function isCurrent(): boolean {
  const file = join(WEB_DIST, STAMP_FILE)
  if (!existsSync(file)) return false
  const stamp = JSON.parse(readFileSync(file, 'utf8')) as WebStamp
  const now = currentStamp(Object.keys(stamp.files))
  return now.names === stamp.names && Object.entries(stamp.files).every(([name, hash]) => now.files[name] === hash)
}

/** Builds the web apps when they are not built, or older than their sources. Throws with what the build said when it fails. */
export async function ensureWeb(say: (line: string) => void): Promise<void> {
  if (isCurrent()) return
  say('Building the web apps (once) …')
  const child = spawn(process.execPath, [join(ROOT, 'scripts', 'build-web.ts')], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const said: string[] = []
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (part: Buffer) => said.push(part.toString()))
  const [code] = (await once(child, 'close')) as [number | null]
  if (code !== 0) throw new Error(`the web apps could not be built:\n${said.join('').slice(-4_000)}`)
}
