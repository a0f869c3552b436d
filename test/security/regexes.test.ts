import assert from 'node:assert/strict'
import { test } from 'node:test'
import vm from 'node:vm'
import * as zod from 'zod/v4/core'
import { nodesOf, programFiles } from './source.ts'

/**
 * Every regular expression of the program, and those of zod, on what makes a backtracking one slow: a start that fits, a long repetition of
 * what the expression speaks of, and an end that does not fit. A linear one takes microseconds, an exponential one longer than the sun burns.
 */
const REPEATED_CHARS = 4_000
const TOOK_MS_MAX = 2_000
const COMMON = ['a', 'A', '0', ' ', '-', '.', '/', '@', '<', '"', '\\', ',', ':', '=', '\n', '\t', 'é', '+', '_', '(']

type Found = { readonly file: string; readonly source: string; readonly flags: string }

/** All regular expressions written as literals in one file. */
function literalsOf(file: string, code: string): readonly Found[] {
  return nodesOf(code).flatMap((node): Found[] => {
    const { regex } = node as { readonly regex?: { readonly pattern: string; readonly flags: string } }
    return regex === undefined ? [] : [{ file, source: regex.pattern, flags: regex.flags }]
  })
}

function everyExpression(): readonly Found[] {
  const ours = programFiles().flatMap(({ file, code }) => literalsOf(file, code))
  const theirs = Object.entries(zod.regexes).flatMap(([name, value]: readonly [string, unknown]): Found[] =>
    value instanceof RegExp ? [{ file: `zod ${name}`, source: value.source, flags: value.flags }] : [],
  )
  return [...ours, ...theirs]
}

/** What an expression speaks of: its literal characters, and the words it begins with. */
function attacksOn(source: string): readonly string[] {
  const literal = source.replace(/\\[dwsbDWSB]|\\[pu]\{[^}]*\}|\\u[0-9a-f]{4}|[\^$?*+()[\]{}|\\]/gi, '')
  const own = [...new Set(literal)].slice(0, 12)
  const words = (/^\^?([\w :/.-]{1,20})/.exec(source)?.[1] ?? '').replace(/[?*+]$/, '')
  const pumps = [...new Set([...own, ...COMMON, ...own.slice(0, 4).flatMap((a) => own.slice(0, 4).map((b) => a + b))])]
  return pumps.flatMap((pump) => {
    const long = pump.repeat(REPEATED_CHARS / pump.length)
    return [`${long}\u0000`, `${words}${long}\u0000`]
  })
}

function isDone(script: vm.Script, context: vm.Context): boolean {
  try {
    script.runInContext(context, { timeout: TOOK_MS_MAX })
    return true
  } catch {
    return false
  }
}

test('no regular expression of the program is slow on any input', () => {
  const all = everyExpression()
  assert.ok(all.length > 200, `only ${all.length} were found`)
  const context = vm.createContext({ source: '', flags: '', inputs: [] as readonly string[] })
  const script = new vm.Script(
    '{ const re = new RegExp(source, flags); for (const each of inputs) { re.lastIndex = 0; re.test(each) } }',
  )
  const slow: string[] = []
  const seen = new Set<string>()
  for (const { file, source, flags } of all) {
    if (seen.has(`${source}/${flags}`)) continue
    seen.add(`${source}/${flags}`)
    Object.assign(context, { source, flags, inputs: attacksOn(source) })
    try {
      // A busy machine stalls now and then; what is slow by itself is slow again.
      if (!isDone(script, context)) script.runInContext(context, { timeout: TOOK_MS_MAX })
    } catch (error) {
      slow.push(`${file}: /${source}/${flags}: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  assert.deepEqual(slow, [])
})

test('the check finds a slow one', () => {
  const context = vm.createContext({})
  const bad = `/^(a+)+$/.test(${JSON.stringify(`${'a'.repeat(REPEATED_CHARS)}\u0000`)})`
  assert.throws(() => new vm.Script(bad).runInContext(context, { timeout: TOOK_MS_MAX }), /timed out/)
})
