import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { type FileHandle, open, readFile, rename } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { parseSignedCheckpoint } from '../../crypto/checkpoint.ts'
import { isRefusal } from '../../kernel/refusal.ts'
import { monitorName, NOTHING_SEEN, type Seen } from '../witness.ts'

const FILE = 'seen.log'
/** Every memory begins with this line: one that was emptied or cut at its beginning is not a new one. */
const FIRST_LINE = 'the memory of an Amanat witness, version 1'
/** Beyond this many lines the file is written anew at the start, with the newest line of each log. */
const LINES_KEPT_MAX = 10_000
const BEGIN_ANEW =
  'A witness that forgot what it saw could contradict itself: put the file back from a copy that is not older, or begin anew in an empty folder, with a new key.'

/** What the witness remembers cannot be trusted: it must not sign, for it might contradict itself. */
export class WitnessFault extends Error {
  override readonly name = 'WitnessFault'
}

/** The memory of a witness: the newest note that it cosigned of each log. */
export type SeenFile = {
  readonly seen: (origin: string) => Seen
  /** The newest note of the log that the monitor's path names so. */
  readonly noteNamed: (name: string) => string | undefined
  /** Returns when the note is on the disk: only then may the cosignature leave. */
  readonly remember: (note: string) => Promise<void>
  readonly close: () => Promise<void>
}

/**
 * Opens the memory of a witness: a first line, then one for each note, `<SHA-256 of the rest> <JSON text>`, only ever appended to, each on the disk
 * before the next. A last line that a power cut tore was never answered and is cut off; any other damage is a fault.
 * @throws WitnessFault
 */
export async function openSeenFile(folder: string, isNew: boolean): Promise<SeenFile> {
  const path = join(folder, FILE)
  if (!isNew && !existsSync(path)) throw new WitnessFault(`${path} is gone. ${BEGIN_ANEW}`)
  const notes = new Map<string, { readonly seen: Seen; readonly note: string }>()
  const text = existsSync(path) ? await readFile(path, 'utf8') : ''
  const { lines, whole } = wholeLines(path, text)
  const [first, ...known] = lines
  if (first === undefined ? !isNew : first !== FIRST_LINE)
    throw new WitnessFault(`${path} does not begin as it was begun. ${BEGIN_ANEW}`)
  for (const note of known) keep(notes, note)
  let file = await open(path, 'a', 0o600)
  if (whole < Buffer.byteLength(text)) await file.truncate(whole)
  if (first === undefined) await file.appendFile(lineOf(FIRST_LINE))
  await file.datasync()
  await syncFolder(folder)
  if (lines.length > LINES_KEPT_MAX)
    file = await writeAnew(
      path,
      file,
      [...notes.values()].map(({ note }) => note),
    )

  // Appends wait for each other: a torn line can only be the last one. After one that failed nothing is appended any more.
  let last: Promise<void> = Promise.resolve()
  return {
    seen: (origin) => notes.get(origin)?.seen ?? NOTHING_SEEN,
    noteNamed: (name) => {
      for (const [origin, { note }] of notes) if (monitorName(origin) === name) return note
      return undefined
    },
    remember: (note) => {
      last = last.then(async () => {
        await file.appendFile(lineOf(note))
        await file.datasync()
        keep(notes, note)
      })
      return last
    },
    close: async () => {
      await last.catch(() => undefined) // whoever remembered heard of it
      await file.close()
    },
  }
}

function keep(notes: Map<string, { readonly seen: Seen; readonly note: string }>, note: string): void {
  const signed = parseSignedCheckpoint(note)
  if (isRefusal(signed)) throw new WitnessFault(`the memory of the witness holds a note that is none: ${signed.detail}`)
  const { origin, size, root } = signed.checkpoint
  notes.set(origin, { seen: { size, root }, note })
}

function lineOf(note: string): string {
  const json = JSON.stringify(note)
  return `${createHash('sha256').update(json).digest('hex')} ${json}\n`
}

/** The notes of the file, and how many of its bytes are whole lines. */
function wholeLines(path: string, text: string): { readonly lines: readonly string[]; readonly whole: number } {
  const lines: string[] = []
  let whole = 0
  const all = text.split('\n')
  for (const [at, line] of all.entries()) {
    const note = at === all.length - 1 ? undefined : noteOf(line)
    if (note !== undefined) {
      lines.push(note)
      whole += Buffer.byteLength(line) + 1
      continue
    }
    // What is torn ends the file: without its newline, or with bytes that the disk had not taken yet.
    const isTorn = at === all.length - 1 || (at === all.length - 2 && all.at(-1) === '' && line.includes('\0'))
    if (isTorn) return { lines, whole }
    throw new WitnessFault(`${path} is damaged in line ${at + 1}. ${BEGIN_ANEW}`)
  }
  return { lines, whole }
}

function noteOf(line: string): string | undefined {
  const [, hash, json] = /^([0-9a-f]{64}) (".*")$/u.exec(line) ?? []
  if (json === undefined || createHash('sha256').update(json).digest('hex') !== hash) return undefined
  return JSON.parse(json) as string
}

async function writeAnew(path: string, old: FileHandle, notes: readonly string[]): Promise<FileHandle> {
  const fresher = `${path}.new`
  const file = await open(fresher, 'w', 0o600)
  await file.appendFile([FIRST_LINE, ...notes].map(lineOf).join(''))
  await file.datasync()
  await rename(fresher, path)
  await syncFolder(dirname(path))
  await old.close()
  await file.close()
  return open(path, 'a', 0o600)
}

/** A new name in a folder is on the disk when the folder is. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
