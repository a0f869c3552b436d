import assert from 'node:assert/strict'
import { test } from 'node:test'
import { passwordFault } from './password-rules.ts'

const WHO = { login: 'meera.nair', name: 'Dr. Meera Nair' }

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
  ]
  for (const [password, fault] of cases) assert.equal(passwordFault(password, WHO), fault, password)
})

test('characters that look alike count alike: full-width digits are digits', () => {
  assert.equal(passwordFault('１２３４５６７８９０１２', WHO), 'too-plain')
})
