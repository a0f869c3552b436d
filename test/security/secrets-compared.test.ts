import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { type Node, nodesOf, programFiles } from './source.ts'

/**
 * Secrets are compared in constant time: a comparison that stops at the first difference tells how far a guess was right. What is looked up
 * by its digest in the database (sessions, push addresses, tickets) needs none: the digest of a guess tells nothing about the secret's.
 */
const SECRET = /(?:secret|token|password|passcode|otp|csrf|digest|mac|hmac|signature|(?:code|otp|secret|token)hash)$/i
/** Comparisons of something else of that name. */
const HARMLESS: ReadonlySet<string> = new Set([
  // A token of PKCS#11 is a device, and this its label.
  'src/vault/pkcs11.ts:  = token',
])

/** The name that a comparison is about: of a variable, or of the last member. */
function nameOf(node: unknown): string | undefined {
  const { type, name, property, expression } = (node ?? {}) as Node & { property?: Node; expression?: Node }
  if (type === 'Identifier') return String(name)
  if (type === 'MemberExpression') return nameOf(property)
  return type === 'ChainExpression' ? nameOf(expression) : undefined
}

const isFixed = (node: Node): boolean =>
  node.type === 'Literal' ||
  node.type === 'TemplateLiteral' ||
  (node.type === 'UnaryExpression' && node['operator'] === 'typeof') ||
  /^(?:undefined|NaN|[A-Z][A-Z0-9_]+)$/.test(nameOf(node) ?? '')

/** Comparisons that stop at the first difference, of something that is named like a secret with something that is not fixed. */
function careless(code: string): readonly string[] {
  return nodesOf(code).flatMap((node) => {
    if (node.type !== 'BinaryExpression' || !/^[!=]==?$/.test(String(node['operator']))) return []
    const [left, right] = [node['left'], node['right']] as readonly Node[]
    if (left === undefined || right === undefined || isFixed(left) || isFixed(right)) return []
    const names = [nameOf(left), nameOf(right)]
    return names.some((name) => name !== undefined && SECRET.test(name)) ? [names.join(' = ')] : []
  })
}

test('no secret, token or digest is compared with ===', () => {
  const found = programFiles().flatMap(({ file, code }) => careless(code).map((place) => `${file}: ${place}`))
  assert.deepEqual(
    found.filter((place) => !HARMLESS.has(place)),
    [],
  )
})

test('where secrets are checked, timingSafeEqual does it', () => {
  for (const file of [
    'app.ts',
    'http/web-origin.ts',
    'hip/discovery-commands.ts',
    'partners/secret.ts',
    'partners/login-limit.ts',
    'people/text-code.ts',
  ])
    assert.match(readFileSync(`src/${file}`, 'utf8'), /timingSafeEqual\(/, file)
})

test('the check finds careless comparisons, and only those', () => {
  for (const code of ['if (given.otp === row.otp) x()', 'y = token !== expected.sessionToken', 'a.secretHash == b'])
    assert.equal(careless(code).length, 1, code)
  for (const code of ['if (token === undefined) x()', "a.token === ''", 'typeof secret === kind', 'kind === other'])
    assert.deepEqual(careless(code), [], code)
})
