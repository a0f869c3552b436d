import fs from 'node:fs/promises'
import path from 'node:path'
import { LIMITS } from '../kernel/limits.ts'
import { isRefusal, refuse } from '../kernel/refusal.ts'
import { type ForeignDocument, readDocument } from './document-bytes.ts'
import { isAbout } from './identity.ts'
import { displayOf, type RecordHead, type RecordSource, SourceUnavailable, toCareContextReference } from './record.ts'

/** Why a file of the folder is not served: shown to the operator, never a value of the file. */
export type FolderFinding = { readonly file: string; readonly why: string }
export type FolderSource = RecordSource & {
  /** Reads the folder anew where files changed, and says which files are not served, and why. */
  readonly findings: () => Promise<readonly FolderFinding[]>
}

type Indexed = { readonly stamp: string; readonly document?: Omit<ForeignDocument, 'bundle'>; readonly why?: string }

/**
 * A folder of FHIR documents in JSON, with sub-folders: one document a file, served byte for byte. A document belongs to the patient
 * whose ABHA number, ABHA address or MRN its Patient carries; one that names none of them belongs to nobody. Files are read again when
 * size or time changed. Links are not followed.
 */
export function makeFolderSource(options: { readonly folder: string }): FolderSource {
  const index = new Map<string, Indexed>()
  let tooMany = false

  const refresh = async (): Promise<void> => {
    const files = await jsonFiles(options.folder)
    tooMany = files.length > LIMITS.folderFilesMax
    const served = files.slice(0, LIMITS.folderFilesMax)
    for (const file of index.keys()) if (!served.includes(file)) index.delete(file)
    for (const file of served) {
      const stat = await fs.stat(path.join(options.folder, file)).catch(() => undefined)
      const stamp = `${stat?.size ?? -1} ${stat?.mtimeMs ?? -1}`
      if (index.get(file)?.stamp !== stamp) index.set(file, await indexFile(options.folder, file, stamp))
    }
  }
  return {
    name: 'folder',
    list: async (_machine, patient) => {
      await refresh()
      return [...index].flatMap(([file, { document }]): RecordHead[] => {
        if (document === undefined || isAbout(document.identity, patient) !== 'yes') return []
        const { hiType, date } = document
        return [
          {
            key: file,
            careContextReference: toCareContextReference(file.replace(/\.json$/i, '')),
            hiType,
            date,
            display: displayOf(hiType, date),
          },
        ]
      })
    },
    read: async (_machine, patient, head) => {
      const known = index.get(head.key)?.document
      const bytes = known && (await fs.readFile(path.join(options.folder, head.key)).catch(() => undefined))
      if (known === undefined || bytes === undefined)
        return refuse('records/unreadable', 'The file is gone from the folder.')
      const document = readDocument(bytes)
      if (isRefusal(document)) return refuse('records/unreadable', document.detail)
      if (isAbout(document.identity, patient) !== 'yes') return refuse('fhir/other-patient')
      return { form: 'document', bytes }
    },
    findings: async () => {
      await refresh()
      const found = [...index].flatMap(([file, { why }]) => (why === undefined ? [] : [{ file, why }]))
      return tooMany
        ? [
            ...found,
            { file: '.', why: `The folder holds more than ${LIMITS.folderFilesMax} files; the rest is not served.` },
          ]
        : found
    },
  }
}

async function indexFile(folder: string, file: string, stamp: string): Promise<Indexed> {
  const full = path.join(folder, file)
  try {
    const { size } = await fs.stat(full)
    if (size > LIMITS.documentBytesMax)
      return { stamp, why: `The document has more than ${LIMITS.documentBytesMax} bytes.` }
    const bytes = await fs.readFile(full)
    const document = readDocument(bytes)
    if (isRefusal(document)) return { stamp, why: document.detail }
    const { hiType, date, identity } = document
    return { stamp, document: { hiType, date, identity } }
  } catch (error) {
    return { stamp, why: `The file cannot be read (${codeOf(error)}).` }
  }
}

async function jsonFiles(folder: string): Promise<readonly string[]> {
  try {
    const entries = await fs.readdir(folder, { recursive: true, withFileTypes: true })
    return entries
      .filter((entry) => entry.isFile() && /\.json$/i.test(entry.name))
      .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)))
      .sort()
  } catch (error) {
    throw new SourceUnavailable(`the folder of records cannot be read (${codeOf(error)})`)
  }
}

function codeOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : 'unknown fault'
}
