import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { PROBLEMS } from '../../src/kernel/problems.ts'

/** Levels of the requirements of ASVS 5.0.0, section by section in their order: numbers and levels only. */
const LEVELS =
  '1.1 22|1.2 1111122223|1.3 112222222223|1.4 222|1.5 123|2.1 122|2.2 112|2.3 12223|2.4 23|3.1 3|3.2 113|3.3 12223|3.4 11222233|3.5 11122333|3.6 3|3.7 22333|4.1 12233|4.2 23333|4.3 22|4.4 1222|5.1 2|5.2 112333|5.3 113|5.4 222|6.1 122|6.2 111111112222|6.3 11223333|6.4 112233|6.5 22222333|6.6 2223|6.7 33|6.8 2222|7.1 222|7.2 1111|7.3 22|7.4 11222|7.5 223|7.6 22|8.1 1233|8.2 1123|8.3 133|8.4 23|9.1 111|9.2 1222|10.1 22|10.2 223|10.3 22223|10.4 1111122222233333|10.5 22222|10.6 22|10.7 222|11.1 2233|11.2 22233|11.3 11233|11.4 1222|11.5 23|11.6 23|11.7 33|12.1 12233|12.2 11|12.3 22223|13.1 2333|13.2 222223|13.3 2233|13.4 1222233|14.1 22|14.2 12223333|14.3 122|15.1 12233|15.2 12233|15.3 1222222|15.4 3333|16.1 2|16.2 22222|16.3 2222|16.4 222|16.5 2223|17.1 23|17.2 22223333|17.3 22'
const STATES = new Set(['holds', 'partly', 'short', 'operator', 'not here'])
const COMBINATIONS = 'docs/integrate/combinations.md'
const PAGES = [
  COMBINATIONS,
  'docs/security/asvs.md',
  'docs/security/threat-model.md',
  'docs/security-tests.md',
  'SECURITY.md',
]

const all = LEVELS.split('|').flatMap((section) => {
  const [name = '', levels = ''] = section.split(' ')
  return levels.split('').map((level, index) => ({ no: `${name}.${index + 1}`, level: Number(level) }))
})
const page = readFileSync('docs/security/asvs.md', 'utf8')
const rows = page
  .split('\n')
  .filter((line) => /^\| \d+\.\d+\.\d+ \|/.test(line))
  .map((line) => line.slice(2, -2).split(' | '))

test('the standard has so many requirements of each level', () => {
  assert.deepEqual(
    [1, 2, 3].map((level) => all.filter((one) => one.level === level).length),
    [70, 183, 92],
  )
})

test('every requirement of levels 1 and 2 is there once, with its level, a state and a place', () => {
  const wanted = all.filter(({ level }) => level < 3).map(({ no, level }) => `${no} ${level}`)
  assert.deepEqual(
    rows.map(([no, level]) => `${no} ${level}`),
    wanted,
  )
  for (const [no, , asked = '', state = '', where = '', ...more] of rows) {
    assert.ok(STATES.has(state), `${no} is ${state}`)
    assert.ok(asked.length > 3 && where.length > 3 && more.length === 0, `${no}: ${where}`)
  }
  for (const state of STATES) {
    const count = rows.filter((row) => row[3] === state).length
    assert.ok(page.includes(`${count} ${state}`), `the page says how many are ${state}: ${count}`)
  }
})

test('every code of fields that must fit together exists', () => {
  const codes = [...readFileSync(COMBINATIONS, 'utf8').matchAll(/`([a-z]+\/[a-z-]+)`/g)].map(([, code = '']) => code)
  assert.ok(codes.length > 40)
  assert.deepEqual(
    codes.filter((code) => !(code in PROBLEMS) && !existsSync(code)),
    [],
  )
})

test('every file, folder and test that the pages about security name exists', () => {
  const faults = PAGES.flatMap((name) => {
    const text = readFileSync(name, 'utf8')
    const files = [
      ...text.matchAll(/`((?:src|test|docs|web|bench|scripts|bin)\/[\w./*-]+|[A-Z]+\.md|package(?:-lock)?\.json)`/g),
    ]
    const absent = files.flatMap(([, file = '']) => (/\*/.test(file) || existsSync(file) ? [] : [`${name}: ${file}`]))
    const tests = [...text.matchAll(/`((?:src|test)\/[\w./-]+\.test\.ts)`((?:,? “[^”]+”)+)/g)].flatMap(
      ([, file = '', quoted = '']) =>
        [...quoted.matchAll(/“([^”]+)”/g)].flatMap(([, title = '']) =>
          existsSync(file) && readFileSync(file, 'utf8').includes(title)
            ? []
            : [`${name}: ${file} has no test “${title}”`],
        ),
    )
    return [...absent, ...tests]
  })
  assert.deepEqual(faults, [])
})
