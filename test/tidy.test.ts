import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { basename, dirname, join, normalize } from 'node:path'
import { test } from 'node:test'

/** The style as a test: see CONTRIBUTING.md. Folders, lowest first; a file imports its own folder or one to the left. */
const FOLDERS = [
  'kernel',
  'crypto',
  'fhir',
  'statistics',
  'db',
  'http',
  'jobs',
  'vault',
  'audit',
  'keys',
  'people',
  'operators',
  'partners',
  'policy',
  'notices',
  'linking',
  'consent',
  'transfer',
  'records',
  'hip',
  'hiu',
  'rights',
  'incidents',
  'desk',
  'harmonise',
  'governance',
  'analyses',
  'airlock',
  'insight',
  'native',
  'abdm',
  'nhcx',
  'hl7',
  'recovery',
  'sandbox',
  'demo',
]
const WORDS_BANNED_AS_FOLDERS = ['utils', 'helpers', 'common', 'services', 'shared', 'misc', 'lib']
/** Roles inside a domain folder, innermost first; `<noun>.ts` is the folder's own name. */
const ROLES = ['<folder>', 'messages', 'rules', 'store', 'commands', 'reactions', 'jobs', 'routes']
/** Folders without I/O. Files named `native-…` in crypto/ are the server's faster twins of pure ones. */
const PURE_FOLDERS = ['kernel', 'crypto', 'fhir', 'statistics']
const IMPURE = /from 'node:|from 'pg'|\/db\/|\/jobs\/|Date\.now\(|new Date\(\)|process\.env|Math\.random/
const CLOCK = /Date\.now\(|new Date\(\)|Math\.random/
const LINES_MAX = 400
const TOP_ENTRIES_MAX = 24

const BANNED: readonly (readonly [RegExp, string])[] = [
  [/catch\s*(\([^)]*\))?\s*\{\s*\}/, 'empty catch'],
  [/\bas any\b|:\s*any\b|<any>/, 'any'],
  [/\b(FIXME|XXX|TODO)\b/, 'leftover'],
  [/^export default\b/m, 'default export'],
  [/\benum\s+[A-Z]/, 'enum (types must be erasable)'],
  [/\.only\(/, 'a test alone'],
]

const allFiles = globSync('{src,test,scripts,bench}/**/*.ts').filter((f) => !f.endsWith('.generated.ts'))
const sources = allFiles.filter((f) => f.startsWith('src/') && !f.endsWith('.test.ts'))
const text = (f: string): string => readFileSync(f, 'utf8')
const folderOf = (f: string): string => (f.split('/').length > 2 ? (f.split('/')[1] ?? '') : '')
const roleOf = (f: string): number => {
  const name = basename(f, '.ts')
  return ROLES.indexOf(name === folderOf(f) ? '<folder>' : name)
}
const importsOf = (f: string): string[] =>
  [...text(f).matchAll(/(?:from|import\()\s*'(\.[^']+)'/g)].map(([, to]) => normalize(join(dirname(f), to ?? '')))

function faultsOf(f: string): string[] {
  const found: string[] = []
  const t = text(f)
  const folder = folderOf(f)
  if (folder && !FOLDERS.includes(folder)) found.push(`${f}: folder ${folder} is not in FOLDERS`)
  if (WORDS_BANNED_AS_FOLDERS.some((word) => f.split('/').includes(word)))
    found.push(`${f}: a folder that says nothing`)
  if (!/^[a-z0-9]+(-[a-z0-9]+)*(\.(test|db\.test|generated))*\.ts$/.test(basename(f)))
    found.push(`${f}: file name is not kebab-case`)
  if (basename(f) === 'index.ts') found.push(`${f}: a barrel`)
  const pure =
    (PURE_FOLDERS.includes(folder) && !basename(f).startsWith('native-') && !basename(f).endsWith('-file.ts')) ||
    (roleOf(f) >= 0 && roleOf(f) <= 2)
  if (pure && IMPURE.test(t)) found.push(`${f}: a pure file touches the world`)
  if (CLOCK.test(t) && !['src/app.ts', 'src/main.ts'].includes(f))
    found.push(`${f}: clock or randomness that is not an argument`)
  if (
    /process\.env/.test(t) &&
    !['src/cli.ts', 'src/config.ts', 'src/app.ts', 'src/main.ts', 'src/db/embedded-binaries.ts'].includes(f)
  )
    found.push(`${f}: reads the environment`)
  if (/\bas (unknown as )?Recorded\b/.test(t) && folder !== 'audit') found.push(`${f}: forges a record`)
  if (/\bfetch\(/.test(t) && folder !== 'demo' && folder !== 'sandbox' && !f.startsWith('src/cli'))
    found.push(`${f}: leaves the building; use http/outbound.ts from a job`)
  for (const to of importsOf(f)) {
    const target = folderOf(to)
    if (folder && !target && !to.endsWith('.json')) found.push(`${f}: a room imports the roof, ${to}`)
    if (folder && target && FOLDERS.indexOf(target) > FOLDERS.indexOf(folder)) found.push(`${f}: looks right, at ${to}`)
    if (target === folder && roleOf(f) >= 0 && roleOf(to) > roleOf(f)) found.push(`${f}: looks outward, at ${to}`)
    if (target !== folder && basename(to).endsWith('store.ts')) found.push(`${f}: another folder's tables, ${to}`)
  }
  return found
}

test('the source is tidy', () => {
  const faults = [
    ...sources.flatMap(faultsOf),
    ...allFiles.flatMap((f) => {
      const found = f.endsWith('tidy.test.ts')
        ? []
        : BANNED.filter(([re]) => re.test(text(f))).map(([, why]) => `${f}: ${why}`)
      const lines = text(f).split('\n').length
      return lines > LINES_MAX ? [...found, `${f}: ${lines} lines, more than ${LINES_MAX}`] : found
    }),
  ]
  assert.deepEqual(faults, [])
})

/** What a file exports by declaration; `isType` for what is gone at run time. */
function exportsOf(f: string): readonly { readonly name: string; readonly isType: boolean }[] {
  const declared = /^export (?:async )?(function\*?|const|let|class|type|interface) (\w+)/gm
  return [...text(f).matchAll(declared)].map(([, kind = '', name = '']) => ({ name, isType: /^[ti]/.test(kind) }))
}
const timesNamed = (name: string, t: string): number => [...t.matchAll(new RegExp(`\\b${name}\\b`, 'g'))].length

test('what is exported is used: values by another file, types at least by a signature; nothing is exported twice', () => {
  const namers = new Map<string, string[]>()
  for (const f of [
    ...allFiles,
    ...globSync('bin/*.mjs'),
    ...globSync('web/{ui,patient,desk,console,verify}/**/*.{ts,tsx}'),
  ].filter((f) => f !== 'test/tidy.test.ts'))
    for (const [word] of text(f).matchAll(/\w+/g)) (namers.get(word) ?? namers.set(word, []).get(word))?.push(f)
  const faults = sources.flatMap((f) => [
    ...(/^export (?:type )?[{*]/m.test(text(f))
      ? [`${f}: exports again what another file, or a line above, declares`]
      : []),
    ...exportsOf(f)
      .filter(({ name, isType }) => {
        const named = namers.get(name) ?? []
        return isType ? named.length < 2 : named.every((other) => other === f)
      })
      .map(({ name }) => `${f}: exports ${name}, which nobody else names`),
  ])
  assert.deepEqual(faults, [])
})

test('a table of moves is what code asks, not decoration', () => {
  const faults = sources.flatMap((f) =>
    exportsOf(f)
      .filter(({ name, isType }) => !isType && name.endsWith('MOVES'))
      .filter(({ name }) => {
        const askers = sources.filter((other) => other === f || importsOf(other).includes(f))
        const asked = askers.map((other) => {
          const code = text(other)
            .replace(/^import [^']*'/gm, '')
            .replaceAll(`typeof ${name}`, '')
          return timesNamed(name, code) - (other === f ? 1 : 0)
        })
        return asked.every((times) => times === 0)
      })
      .map(({ name }) => `${f}: nothing asks ${name}`),
  )
  assert.deepEqual(faults, [])
})

/** Kit, then the apps: an app does not look into another, and takes values from src/ only where nothing touches the machine. */
const WEB_APPS = ['patient', 'desk', 'console', 'verify']
const webFiles = globSync('web/{ui,patient,desk,console,verify}/**/*.{ts,tsx}')
const isPureSource = (f: string): boolean =>
  [...PURE_FOLDERS.map((folder) => `src/${folder}/`), 'src/policy/'].some((start) => f.startsWith(start)) ||
  (f.startsWith('src/') && !IMPURE.test(text(f)))

function webFaultsOf(f: string): string[] {
  const t = text(f)
  const found: string[] = []
  const app = f.split('/')[1] ?? ''
  if (t.split('\n').length > LINES_MAX) found.push(`${f}: more than ${LINES_MAX} lines`)
  if (!/^[a-z0-9]+(-[a-z0-9]+)*(\.d)?\.tsx?$/.test(basename(f))) found.push(`${f}: file name is not kebab-case`)
  for (const [re, why] of BANNED) if (re.test(t) && !f.endsWith('.d.ts')) found.push(`${f}: ${why}`)
  if (/dangerouslySetInnerHTML|innerHTML|outerHTML|insertAdjacentHTML|document\.write/.test(t))
    found.push(`${f}: text could reach the page as HTML`)
  if (/https?:\/\/(?!localhost|127\.0\.0\.1|www\.w3\.org)/.test(t)) found.push(`${f}: names another site`)
  if (/from 'zod'|from 'node:/.test(t)) found.push(`${f}: takes a server's library into the browser`)
  if ((app === 'patient' || app === 'ui') && /queryKey: \[(?!actingFor\(\) \?\? '')/.test(t))
    found.push(`${f}: an answer is kept without whose it is; a guardian would see it for somebody else`)
  const values = [...t.matchAll(/import (?!type\b)([^']*?)from\s*'(\.[^']+\.tsx?)'/g)].filter(
    ([, names = '']) => !/^\{(\s*type \w+,?\s*)+\}\s*$/.test(names),
  )
  for (const [, , to = ''] of values) {
    const target = normalize(join(dirname(f), to))
    const other = target.split('/')[1] ?? ''
    if (target.startsWith('web/') && other !== app && (app === 'ui' || WEB_APPS.includes(other)))
      found.push(`${f}: looks into another app, ${target}`)
    if (target.startsWith('src/') && !isPureSource(target))
      found.push(`${f}: takes what touches the machine, ${target}`)
  }
  return found
}

test('the web apps are tidy', () => {
  assert.deepEqual(webFiles.flatMap(webFaultsOf), [])
})

test('the mains are thin', () => {
  assert.ok(text('src/main.ts').split('\n').length < 60)
})

test('what a test file prepares, it prepares for its own tests', () => {
  // All files run in one process: a hook outside of `describe` would run for the tests of every other file, too.
  const hooked = globSync('{src,test}/**/*.test.ts').filter((f) => /^(before|after)(Each)?\(/m.test(text(f)))
  assert.deepEqual(hooked, [])
})

test('few things at the door', () => {
  const ignored = new Set(['node_modules', 'data', 'tmp', '.git'])
  const entries = globSync('*')
    .concat(globSync('.*'))
    .filter((f) => !ignored.has(f) && f !== '.' && f !== '..')
  assert.ok(entries.length <= TOP_ENTRIES_MAX, `${entries.length} top entries: ${entries.join(' ')}`)
})

test('no place of a machine, no host of a registry, in any file of ours', () => {
  const everywhere = globSync('{src,test,scripts,bench,docs,bin,.ci}/**/*.{ts,md,sql,mjs,json}').concat(
    globSync('*.{md,json}'),
  )
  const bad = everywhere.filter(
    (f) => !f.endsWith('tidy.test.ts') && /\/work\/|\/root\/|registry\.npmjs/.test(readFileSync(f, 'utf8')),
  )
  assert.deepEqual(bad, [])
})
