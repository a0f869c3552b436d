import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { indexWords, isNamed, searchWords } from './name-index.ts'

test('beginnings of three to eight letters, short words whole, accents and case aside', () => {
  assert.deepEqual(indexWords('Om Rao'), ['om', 'rao'])
  assert.deepEqual(indexWords('José'), ['jos', 'jose'])
  assert.deepEqual(indexWords('Lakshminarayanan'), ['lak', 'laks', 'laksh', 'lakshm', 'lakshmi', 'lakshmin'])
  assert.deepEqual(indexWords("D'Souza").slice(0, 3), ['d', 'sou', 'souz'])
  assert.deepEqual(indexWords('आशा राव'), ['आशा', 'राव'])
})

test('what is too short to look for is not looked for', () => {
  assert.deepEqual(searchWords('a'), [])
  assert.deepEqual(searchWords('om d'), [])
  assert.deepEqual(searchWords('  ,. '), [])
  assert.deepEqual(searchWords('Rao a'), ['rao', 'a'])
})

test('every word of a search begins a word of the name', () => {
  assert.ok(isNamed('Lakshmi Narayanan', 'naray lak'))
  assert.ok(!isNamed('Lakshmi Narayanan', 'lakshmin'))
  assert.ok(!isNamed('Omar Rao', 'om rao'), 'a word of two letters must be whole')
  assert.ok(isNamed('Om Rao', 'om rao'))
})

test('whoever is named so is found by the index: every search for beginnings of the words of a name', () => {
  const word = fc.stringMatching(/^[A-Za-zàéîōñ]{1,14}$/)
  fc.assert(
    fc.property(fc.array(word, { minLength: 1, maxLength: 4 }), fc.nat(), (words, cut) => {
      const name = words.join(' ')
      const search = words.map((each) => each.slice(0, Math.max(3, 1 + (cut % each.length)))).join(' ')
      const wanted = searchWords(search)
      if (wanted.length === 0 || !isNamed(name, search)) return
      const index = new Set(indexWords(name))
      assert.ok(
        wanted.every((each) => index.has(each)),
        `${name} / ${search}`,
      )
    }),
  )
})
