import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'
import { chainOf, chainsOfPatient, patientsIn } from '../web/console/chain.ts'
import { curlOf } from '../web/console/messages/curl.ts'

const message = (id: string, ids: readonly string[], ...patients: readonly string[]) => ({ id, ids, patients })
const MESSAGES = [
  message('init', ['r1'], 'asha.rao@sbx'),
  message('on-init', ['r2', 'r1', 'request-1']),
  message('notify', ['r3', 'request-1', 'artefact-1']),
  message('push', ['transaction-1']),
  message('route', ['r4', 'artefact-1', 'transaction-1']),
  message('other', ['r9', 'request-9'], 'ravi.iyer@sbx'),
  message('session', ['r5']),
]

test('what belongs to a consent is found from any of its messages, and nothing else', () => {
  const whole = new Set(['init', 'on-init', 'notify', 'push', 'route'])
  for (const first of MESSAGES.filter(({ id }) => whole.has(id))) assert.deepEqual(chainOf(MESSAGES, [first]), whole)
  assert.deepEqual(chainsOfPatient(MESSAGES, 'asha.rao@sbx'), whole)
  assert.deepEqual(chainsOfPatient(MESSAGES, 'ravi.iyer@sbx'), new Set(['other']))
  assert.deepEqual(chainsOfPatient(MESSAGES, 'nobody@sbx'), new Set())
  assert.deepEqual(patientsIn(MESSAGES), ['asha.rao@sbx', 'ravi.iyer@sbx'])
})

test('a copied command is one that a shell takes apart as it was meant, with the token left to the reader', () => {
  const hostile = `it's "quoted" $(touch /tmp/never) \`x\` \\ end`
  const command = curlOf({
    method: 'POST',
    base: 'http://127.0.0.1:4000',
    path: '/consent/v3/request/init',
    headers: {
      authorization: 'Bearer eyJhbGciOi… (612 characters)',
      'x-hiu-id': hostile,
      timestamp: '2020-02-29T06:30:00.000Z',
      host: '127.0.0.1:4000',
      'content-length': '17',
    },
    body: `{"name":"${hostile.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"}`,
  })
  const print = `curl() { for one in "$@"; do printf '%s\\0' "$one"; done; }; ${command}`
  const words = execFileSync('sh', ['-c', print], { env: { TOKEN: 'my-token', PATH: process.env['PATH'] ?? '' } })
    .toString()
    .split('\0')
  assert.deepEqual(words.slice(0, 3), ['-X', 'POST', 'http://127.0.0.1:4000/api/hiecm/consent/v3/request/init'])
  assert.ok(words.includes('authorization: Bearer my-token'))
  assert.ok(words.includes(`x-hiu-id: ${hostile}`))
  assert.ok(
    words.some(
      (word) => /^timestamp: \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z$/.test(word) && !word.includes('2020-02-29'),
    ),
  )
  assert.ok(!words.some((word) => /^(host|content-length):/.test(word)))
  assert.deepEqual(JSON.parse(words.at(-2) ?? ''), { name: hostile })
})
