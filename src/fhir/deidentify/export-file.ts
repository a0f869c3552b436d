import { randomBytes } from 'node:crypto'
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { isObject, type Obj } from '../json.ts'
import { anonymityReport, personsOf } from './anonymity.ts'
import { deidentify } from './document.ts'
import type { Mode, Project } from './project.ts'
import { namesOf, personsBehind } from './whose.ts'
import type { Reason, Reviewable } from './work.ts'

export type DeidentifyOrder = {
  readonly folder: string
  readonly out: string
  readonly project: string
  /** 64 hexadecimal digits; made at the first use. */
  readonly keyFile: string
  readonly mode: Mode
  /** SHA-256 of texts that may stay, one a line. */
  readonly reviewedFile?: string
  readonly k: number
  readonly l: number
  readonly now: Date
}

const HASH = /^[0-9a-f]{64}$/

/** The call cannot be carried out; its message is for the person at the terminal. */
class DeidentifyFault extends Error {
  override readonly name = 'DeidentifyFault'
}

/**
 * `amanat fhir deidentify FOLDER`: writes pseudonymous copies of the documents of a folder, with an account of what was taken and how
 * well people hide among each other. Persons in too small a class are left out. 0 when it was done, 1 when not.
 */
export async function deidentifyCommand(
  order: DeidentifyOrder,
  say: (line: string) => void = (line) => process.stdout.write(`${line}\n`),
): Promise<number> {
  try {
    await run(order, say)
    return 0
  } catch (error) {
    if (!(error instanceof DeidentifyFault)) throw error
    say(`Nothing was written: ${error.message}`)
    return 1
  }
}

async function run(order: DeidentifyOrder, say: (line: string) => void): Promise<void> {
  await insistOnEmpty(order.out)
  const files = await documentsIn(order.folder)
  const reviewed = await reviewedHashes(order.reviewedFile)
  // Read twice: only when all names are known is it known who is who, and records with images would not all fit into memory.
  const names: (readonly string[])[] = []
  for (const file of files) names.push(await namesIn(order.folder, file))
  const persons = personsBehind(names)
  const project: Project = { id: order.project, key: await projectKey(order.keyFile) }
  const removed = new Map<string, number>()
  const toReview = new Map<string, Reviewable>()
  const documents: Obj[] = []
  for (const [at, file] of files.entries()) {
    const bundle = await readDocument(join(order.folder, file), file)
    const patient = persons[at] ?? ''
    const left = deidentify(bundle, { mode: order.mode, project, patient, now: order.now, reviewed })
    documents.push(left.document)
    for (const [reason, count] of Object.entries(left.removed)) removed.set(reason, (removed.get(reason) ?? 0) + count)
    for (const one of left.toReview) toReview.set(one.sha256, one)
  }
  await writeExport(order, documents.toSorted(byPseudonym), Object.fromEntries(removed), [...toReview.values()], say)
}

/** In an order that says nothing: files are often named, and so sorted, by name or number of the patient. */
function byPseudonym(one: Obj, other: Obj): number {
  return JSON.stringify(one['identifier']) < JSON.stringify(other['identifier']) ? -1 : 1
}

async function documentsIn(folder: string): Promise<readonly string[]> {
  const found = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    throw new DeidentifyFault(
      `${folder} cannot be read (${error.code ?? error.message}); name a folder of *.json files`,
    )
  })
  const files = found.filter((one) => one.endsWith('.json')).toSorted()
  if (files.length === 0) throw new DeidentifyFault(`${folder} has no FHIR documents (*.json)`)
  return files
}

async function namesIn(folder: string, file: string): Promise<readonly string[]> {
  const names = namesOf(await readDocument(join(folder, file), file))
  if (names.length === 0) throw new DeidentifyFault(`${file} has no Patient with an identifier: whose document is it?`)
  return names
}

async function writeExport(
  order: DeidentifyOrder,
  documents: readonly Obj[],
  removed: Partial<Record<Reason, number>>,
  toReview: readonly Reviewable[],
  say: (line: string) => void,
): Promise<void> {
  const { atRisk, ...report } = anonymityReport(personsOf(documents), order)
  const isHidden = (document: Obj) => !personsOf([document]).some(({ pseudonym }) => atRisk.includes(pseudonym))
  const safe = documents.filter(isHidden)
  const after = anonymityReport(personsOf(safe), order)
  const folder = join(order.out, 'documents')
  await makeFolder(folder).catch((error: NodeJS.ErrnoException) => {
    throw new DeidentifyFault(`--out: ${order.out} cannot be made (${error.code ?? error.message})`)
  })
  for (const [at, document] of safe.entries())
    await write(join(folder, `${String(at + 1).padStart(6, '0')}.json`), document)
  const account = {
    project: order.project,
    mode: order.mode,
    asked: { k: order.k, l: order.l },
    read: { documents: documents.length, ...report },
    written: {
      documents: safe.length,
      persons: after.persons,
      classes: after.classes,
      k: after.k,
      l: after.l,
      mostShared: after.mostShared,
    },
    leftOut: { persons: atRisk.length, documents: documents.length - safe.length },
    removed,
  }
  await write(join(order.out, 'report.json'), account)
  await write(join(order.out, 'to-review.json'), toReview)
  say(`${safe.length} of ${documents.length} documents of ${after.persons} persons written to ${folder}.`)
  say(`Left out: ${atRisk.length} persons in classes smaller than ${order.k} or with fewer than ${order.l} conditions.`)
  say(`What was taken, and k and l of the export: report.json. The result is pseudonymous, not anonymous.`)
  if (toReview.length > 0)
    say(
      `${toReview.length} texts and attachments were dropped; to-review.json shows them. It is health data: keep it here.`,
    )
}

/**
 * As `mkdir -p`. Not with `recursive`: that never comes back where a folder exists in which nothing can be made and which says that it is not
 * there (`/proc`).
 */
async function makeFolder(folder: string): Promise<void> {
  const failed = await mkdir(folder, { mode: 0o700 }).then(
    () => undefined,
    (error: NodeJS.ErrnoException) => error,
  )
  if (failed === undefined) return
  if (failed.code === 'EEXIST' && (await stat(folder)).isDirectory()) return
  const above = dirname(folder)
  if (failed.code !== 'ENOENT' || above === folder || (await exists(above))) throw failed
  await makeFolder(above)
  await mkdir(folder, { mode: 0o700 })
}

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  )

async function insistOnEmpty(folder: string): Promise<void> {
  const found = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw new DeidentifyFault(`--out: ${folder} cannot be read (${error.code ?? error.message})`)
  })
  if (found.length > 0)
    throw new DeidentifyFault(`--out: ${folder} is not empty; an export is never mixed with another`)
}

async function projectKey(path: string): Promise<Uint8Array> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw new DeidentifyFault(`--key: ${path} cannot be read (${error.code ?? error.message})`)
  })
  if (text === undefined) {
    const key = randomBytes(32)
    await writeFile(path, `${key.toString('hex')}\n`, { mode: 0o600, flag: 'wx', flush: true }).catch(
      (error: NodeJS.ErrnoException) => {
        throw new DeidentifyFault(`--key: ${path} cannot be made (${error.code ?? error.message})`)
      },
    )
    return new Uint8Array(key)
  }
  if (!HASH.test(text.trim())) throw new DeidentifyFault(`--key: ${path} must hold 64 hexadecimal digits`)
  return new Uint8Array(Buffer.from(text.trim(), 'hex'))
}

async function reviewedHashes(path: string | undefined): Promise<ReadonlySet<string>> {
  if (path === undefined) return new Set()
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new DeidentifyFault(`--reviewed: ${path} cannot be read (${error.code ?? error.message})`)
  })
  const lines = text.split('\n').map((line) => line.trim())
  const hashes = lines.filter((line) => line !== '' && !line.startsWith('#'))
  const wrong = hashes.findIndex((line) => !HASH.test(line))
  if (wrong >= 0)
    throw new DeidentifyFault(`--reviewed: entry ${wrong + 1} of ${path} is no SHA-256 in hexadecimal digits`)
  return new Set(hashes)
}

async function readDocument(path: string, name: string): Promise<Obj> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new DeidentifyFault(`${name} cannot be read (${error.code ?? error.message})`)
  })
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch {
    throw new DeidentifyFault(`${name} is not JSON`)
  }
  if (!isObject(parsed) || parsed['resourceType'] !== 'Bundle') throw new DeidentifyFault(`${name} is no FHIR Bundle`)
  return parsed
}

async function write(path: string, content: unknown): Promise<void> {
  await writeFile(path, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600 })
}
