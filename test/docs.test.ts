import assert from 'node:assert/strict'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { CommanderError } from 'commander'
import { makeProgram } from '../src/cli.ts'
import { parseConfig } from '../src/config.ts'

/** What the documentation shows must exist: files that it links to, commands that it tells people to type. */

const PAGES = globSync('{*.md,docs/**/*.md}').sort()
const COMMAND =
  /(?:npx )?\bamanat (?=(?:demo|story|serve|migrate|sandbox|log|fhir|partner|backup|restore|drill)\b)[^`\n]*/g

/** Anchors of a page, as GitHub makes them of its headings. */
function anchorsOf(page: string): ReadonlySet<string> {
  return new Set(
    [...readFileSync(page, 'utf8').matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
      heading
        .toLowerCase()
        .replace(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  )
}

/** What is wrong with a link of a page; undefined when it leads somewhere. */
function faultOfLink(page: string, target: string): string | undefined {
  if (/^[a-z]+:/i.test(target)) return undefined
  const [path = '', anchor] = target.split('#')
  const file = path === '' ? page : join(dirname(page), path)
  if (!existsSync(file)) return `${page}: ${target} does not exist`
  if (anchor === undefined || !file.endsWith('.md') || anchorsOf(file).has(anchor)) return undefined
  return `${page}: ${target}: there is no such heading`
}

/** The words of a shown command as a shell would split them. What stands behind two blanks, # or … is a comment. */
function wordsOf(shown: string): readonly string[] {
  const [command = ''] = shown.split(/ {2,}| #|…/)
  return [...command.matchAll(/"([^"]*)"|(<[^>]*>\S*|\S*<[^>]*>\S*)|(\S+)/g)]
    .map(([, quoted, place, word]) => quoted ?? place ?? word ?? '')
    .slice(command.startsWith('npx ') ? 2 : 1)
}

/** For a family of commands (`amanat sandbox …`): the first word that is no command; undefined when all are. */
function faultOfFamily(words: readonly string[]): string | undefined {
  let command = makeProgram(() => async () => undefined)
  for (const word of words) {
    if (command.commands.length === 0) return undefined
    const next = command.commands.find((one) => one.name() === word)
    if (next === undefined) return `unknown command ${word}`
    command = next
  }
  return undefined
}

/** What the command line says to these words, without doing anything; undefined when it takes them. */
async function faultOfCall(words: readonly string[]): Promise<string | undefined> {
  const program = makeProgram(() => async () => undefined)
  let said = ''
  const quiet = { writeOut: () => undefined, writeErr: (text: string) => void (said += text) }
  const hush = (command: typeof program): void => {
    command.configureOutput(quiet)
    command.commands.forEach(hush)
  }
  hush(program)
  try {
    await program.parseAsync([...words], { from: 'user' })
    return undefined
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    return error.exitCode === 0 ? undefined : said || error.message
  }
}

test('links between pages lead somewhere', () => {
  const faults: string[] = []
  let count = 0
  for (const page of PAGES) {
    const prose = readFileSync(page, 'utf8').replace(/^```[\s\S]*?^```/gm, '')
    for (const [, target = ''] of prose.matchAll(/\]\(([^)\s]+)\)/g)) {
      count++
      const fault = faultOfLink(page, target)
      if (fault !== undefined) faults.push(fault)
    }
  }
  assert.deepEqual(faults, [])
  assert.ok(count > 30, `${count} links seen`)
})

test('commands that pages show are commands of the program', async () => {
  const faults: string[] = []
  let count = 0
  for (const page of PAGES) {
    for (const [shown] of readFileSync(page, 'utf8').matchAll(COMMAND)) {
      const words = wordsOf(shown)
      count++
      // `amanat sandbox …` and `amanat log verify` in running text stand for their family: the family must exist.
      const isWhole = !shown.includes('…') && words.length > 2
      const fault = isWhole ? await faultOfCall(words) : faultOfFamily(words)
      if (fault !== undefined) faults.push(`${page}: ${shown}: ${fault}`)
    }
  }
  assert.deepEqual(faults, [])
  assert.ok(count > 15, `${count} commands seen`)
})

test('a command that does not exist, and an option that does not, would be found', async () => {
  assert.match((await faultOfCall(wordsOf('npx amanat sandbox patient --json'))) ?? '', /unknown command/)
  assert.match((await faultOfCall(wordsOf('npx amanat log verify x --sinse y'))) ?? '', /unknown option/)
  assert.match((await faultOfCall(wordsOf('npx amanat sandbox token'))) ?? '', /required option/)
  assert.match(faultOfFamily(wordsOf('amanat log verity')) ?? '', /unknown command verity/)
  assert.equal(faultOfLink('README.md', 'docs/nothing.md'), 'README.md: docs/nothing.md does not exist')
  assert.match(faultOfLink('README.md', 'docs/log.md#nothing') ?? '', /no such heading/)
})

test('scripts that pages show are scripts of package.json', () => {
  const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> }
  const named = PAGES.flatMap((page) =>
    [...readFileSync(page, 'utf8').matchAll(/\bnpm (?:run )?(start|test|story|run|[a-z]+)(?= --|[`\s]|$)/gm)].map(
      ([shown, name = '']) => ({ page, shown, name }),
    ),
  ).filter(({ shown }) => shown.startsWith('npm run ') || /^npm (start|test)$/.test(shown))
  assert.deepEqual(
    named.filter(({ name }) => !Object.hasOwn(scripts, name)),
    [],
  )
  assert.ok(named.length > 5)
})

test('settings that are shown are settings that can be used, for each role', () => {
  const page = 'docs/operate/settings.md'
  const shown = [...readFileSync(page, 'utf8').matchAll(/^```json\n([\s\S]*?)^```/gm)].map(([, text = '']) => text)
  const roles = shown.map((text) => parseConfig(JSON.parse(text), page).role)
  assert.deepEqual(roles.sort(), ['exchange', 'facility'])
})
