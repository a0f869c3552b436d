import assert from 'node:assert/strict'
import { test } from 'node:test'
import { guessesOf, passwordFault } from './password-rules.ts'

const WHO = { login: 'meera.nair', name: 'Dr. Meera Nair', facility: 'Tarangini General Hospital' }

test('length counts, and not which kinds of characters', () => {
  for (const good of [
    'seven mangoes on the roof',
    'correct horse battery',
    'छत पर सात आम रखे हैं',
    'چھت پر سات آم ہیں',
    'kxjqwzvbplmt',
    'meera likes ripe jackfruit',
    `${'long and '.repeat(22)}`,
  ])
    assert.equal(passwordFault(good, WHO), undefined, good)
})

test('too short, too long, too plain, too near to the person', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['elevenchars', 'too-short'],
    ['', 'too-short'],
    ['x y z '.repeat(34), 'too-long'],
    ['aaaaaaaaaaaaaaa', 'too-plain'],
    ['abababababab', 'too-plain'],
    ['123456789012', 'too-plain'],
    ['Password1234', 'too-plain'],
    ['qwertyuiop12', 'too-plain'],
    ['Meera Nair 2026', 'own-name'],
    ['nair-meera-nair', 'own-name'],
    ['MEERA.NAIR.!', 'own-name'],
    ['Tarangini 2026', 'own-name'],
    ['general hospital!', 'own-name'],
    ['meera@tarangini', 'own-name'],
  ]
  for (const [password, fault] of cases) assert.equal(passwordFault(password, WHO), fault, password)
})

test('characters that look alike count alike: full-width digits are digits', () => {
  assert.equal(passwordFault('１２３４５６７８９０１２', WHO), 'too-plain')
})

test('a guesser begins with the word, whatever stands around it, in place of its letters, or however often it stands there', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['Sunshine-2026', 'sunshine'],
    ['!!P@ssw0rd1984!!', 'password'],
    ['01011990manisha', 'manisha'],
    ['DragonDragonDragon', 'dragon'],
    ['5un5h1n35un5h1n3', 'sunshine'],
    ['１２３ｍｏｎｋｅｙ１２３', 'monkey'],
    ['f00tb4ll_2026', 'football'],
  ]
  for (const [password, guess] of cases) assert.ok(guessesOf(password).includes(guess), `${password}: ${guess}`)
  const long = guessesOf('dragon 84729103857')
  assert.ok(!long.includes('dragon'), 'eleven figures that nobody knows are not an addition')
})
