import { createHash } from 'node:crypto'
import { access, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Parser, type ReadEntry } from 'tar'
import { compileProfiles, type StructureDefinition } from './compile-profiles.ts'
import { isObject } from './json.ts'
import type { Origin, ProfileData } from './profile-data.ts'
import { Profiles, shippedProfiles, useProfiles } from './profiles.ts'
import type { CodeSystem, ValueSet } from './value-sets.ts'

/** Name of the compiled file in the folder given to {@link importProfilesCommand}. */
export const PROFILES_FILE = 'fhir-profiles.json'

/** The largest package seen is hl7.fhir.r4.core: 5 MB packed, 60 MB unpacked. */
const PACKED_BYTES_MAX = 64 * 1_048_576
const UNPACKED_BYTES_MAX = 512 * 1_048_576
const FILES_MAX = 20_000

/** A package that cannot be used; its message is for the person at the terminal. */
class PackageError extends Error {}

/** What was compiled, to be shown. */
export type Imported = { readonly path: string; readonly data: ProfileData; readonly profiles: number }

/**
 * Reads an official FHIR package (`package/*.json` in a .tgz, as registry and IG publisher make them), compiles its
 * StructureDefinitions over the R4 base that the program brings, and puts the result into `outFolder`, whole or not
 * at all. Throws {@link PackageError} with a plain sentence when the package cannot be used.
 */
async function importPackage(pathToTgz: string, outFolder: string): Promise<Imported> {
  const packed = await readPackage(pathToTgz)
  if (packed.length > PACKED_BYTES_MAX) throw new PackageError(`${pathToTgz} is larger than ${PACKED_BYTES_MAX} bytes`)
  const files = await unpack(packed)
  const manifest = manifestOf(files)
  const resources = [...files.values()].filter(
    (file): file is StructureDefinition | ValueSet | CodeSystem =>
      isObject(file) &&
      typeof file['url'] === 'string' &&
      ['StructureDefinition', 'ValueSet', 'CodeSystem'].includes(String(file['resourceType'])),
  )
  const structures = resources
    .filter((r) => r.resourceType === 'StructureDefinition')
    .filter((s) => s.kind !== 'logical')
  if (structures.length === 0)
    throw new PackageError(`${pathToTgz} has no StructureDefinition: is it an implementation guide?`)
  const below = shippedProfiles().data
  const origin: Origin = { ...manifest, sha256: createHash('sha256').update(packed).digest('hex') }
  const data = compile(structures, resources, origin, below)
  const path = join(outFolder, PROFILES_FILE)
  await writeWhole(path, outFolder, `${JSON.stringify(data)}\n`)
  return { path, data, profiles: structures.length }
}

/** `amanat fhir import <package.tgz>`: says what was imported or why not; 0 when it was, 1 when it was not. */
export async function importProfilesCommand(
  pathToTgz: string,
  outFolder: string,
  say: (line: string) => void = (line) => process.stdout.write(`${line}\n`),
): Promise<number> {
  try {
    const { path, data, profiles } = await importPackage(pathToTgz, outFolder)
    const bound = new Set(data.nodes.flatMap((node) => (node.b?.[0] === 'r' ? [node.b[1]] : [])))
    const unlisted = [...bound].filter((url) => !Object.hasOwn(data.valueSets, url)).length
    say(
      `Imported ${data.package.name} ${data.package.version}: ${profiles} definitions over FHIR R4 ${data.base.version}.`,
    )
    say(`sha256 of the package: ${data.package.sha256}`)
    if (unlisted > 0)
      say(`${unlisted} required value sets cannot be listed offline; codes bound to them are not checked.`)
    say(`Written to ${path}. Restart the program to use it.`)
    return 0
  } catch (error) {
    if (!(error instanceof PackageError)) throw error
    say(`Nothing was imported: ${error.message}`)
    return 1
  }
}

/** Loads compiled profiles from a file that {@link importPackage} wrote. Throws a plain sentence when it is none. */
export async function loadProfiles(path: string): Promise<Profiles> {
  let data: unknown
  try {
    data = JSON.parse(await readFile(path, 'utf8'))
  } catch (error) {
    throw new Error(`${path} cannot be read: ${(error as Error).message}. Import the package again.`, { cause: error })
  }
  if (
    !isObject(data) ||
    !isObject(data['definitions']) ||
    !Array.isArray(data['nodes']) ||
    !Array.isArray(data['constraints'])
  ) {
    throw new Error(`${path} is no compiled profile data. Import the package again.`)
  }
  return new Profiles(data as ProfileData)
}

/**
 * At start: takes the profiles that were imported into `folder` into use and says which; undefined when none were, and
 * the shipped ones stay. Throws when there is a file that cannot be loaded: better no start than other rules than meant.
 */
export async function useImportedProfiles(folder: string): Promise<Origin | undefined> {
  const path = join(folder, PROFILES_FILE)
  try {
    await access(path)
  } catch {
    return undefined
  }
  const profiles = await loadProfiles(path)
  useProfiles(profiles)
  return profiles.data.package
}

function compile(
  structures: readonly StructureDefinition[],
  resources: readonly (StructureDefinition | ValueSet | CodeSystem)[],
  origin: Origin,
  below: ProfileData,
): ProfileData {
  const base: ProfileData = {
    ...below,
    definitions: Object.fromEntries(Object.entries(below.definitions).filter(([url]) => url.startsWith(R4))),
  }
  try {
    const data = compileProfiles({
      structures,
      terminology: {
        valueSets: new Map(resources.filter((r) => r.resourceType === 'ValueSet').map((r) => [r.url, r])),
        codeSystems: new Map(resources.filter((r) => r.resourceType === 'CodeSystem').map((r) => [r.url, r])),
      },
      package: origin,
      base: below.base,
      below: base,
    })
    const profiles = new Profiles(data)
    if (profiles.documentUrl === undefined || profiles.compositionOf('Prescription') === undefined) {
      throw new PackageError(
        `${origin.name} ${origin.version} has no DocumentBundle or no PrescriptionRecord profile: it is not an ABDM guide`,
      )
    }
    return data
  } catch (error) {
    if (error instanceof PackageError) throw error
    throw new PackageError((error as Error).message)
  }
}

const R4 = 'http://hl7.org/fhir/StructureDefinition/'

async function readPackage(path: string): Promise<Buffer> {
  try {
    return await readFile(path)
  } catch (error) {
    throw new PackageError(`${path} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown error'})`)
  }
}

/** Reads the JSON files right in `package/` into memory; nothing is written to disk, whatever the entries are called. */
async function unpack(packed: Buffer): Promise<Map<string, unknown>> {
  const files = new Map<string, Buffer[]>()
  let bytes = 0
  await new Promise<void>((resolve, reject) => {
    const fail = (message: string) => reject(new PackageError(message))
    const onReadEntry = (entry: ReadEntry): void => {
      const name = /^(?:\.\/)?package\/([^/]+\.json)$/.exec(entry.path)?.[1]
      if (name === undefined || entry.type !== 'File') {
        entry.resume()
        return
      }
      const parts: Buffer[] = []
      files.set(name, parts)
      if (files.size > FILES_MAX) fail(`the package has more than ${FILES_MAX} files`)
      entry.on('data', (part: Buffer) => {
        bytes += part.length
        if (bytes > UNPACKED_BYTES_MAX)
          parser.abort(new Error(`the package unpacks to more than ${UNPACKED_BYTES_MAX} bytes`))
        else parts.push(part)
      })
    }
    const parser = new Parser({ strict: true, onReadEntry })
    parser.on('error', (error) => fail(`the file is no .tgz package: ${String((error as Error).message)}`))
    parser.on('end', () => resolve())
    parser.end(packed)
  })
  return new Map(
    [...files].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, parts]) => [name, parse(name, Buffer.concat(parts))]),
  )
}

function parse(name: string, bytes: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch {
    throw new PackageError(`${name} in the package is no JSON`)
  }
}

function manifestOf(files: ReadonlyMap<string, unknown>): { name: string; version: string } {
  const manifest = files.get('package.json')
  if (!isObject(manifest)) throw new PackageError('the package has no package/package.json')
  const { name, version, fhirVersions } = manifest
  if (typeof name !== 'string' || typeof version !== 'string')
    throw new PackageError('package.json has no name or no version')
  if (Array.isArray(fhirVersions) && !fhirVersions.some((v) => typeof v === 'string' && v.startsWith('4.0'))) {
    throw new PackageError(
      `${name} ${version} is for FHIR ${fhirVersions.join(', ')}; ABDM documents are FHIR R4 (4.0.1)`,
    )
  }
  return { name, version }
}

/** Writes beside and renames: a running reader sees the old file or the new one. */
async function writeWhole(path: string, folder: string, text: string): Promise<void> {
  await mkdir(folder, { recursive: true })
  const draft = `${path}.${process.pid}.draft`
  try {
    await writeFile(draft, text, { mode: 0o644 })
    await rename(draft, path)
  } catch (error) {
    await rm(draft, { force: true })
    throw new PackageError(`${path} cannot be written (${(error as NodeJS.ErrnoException).code ?? 'unknown error'})`)
  }
}
