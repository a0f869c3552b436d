import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { unwrapByKey, wrapByKey } from '../crypto/envelope.ts'
import { rememberUnwrapped, type Unwrap } from './unwrapped-keys.ts'

const kek = randomBytes(32)

function counted(): {
  readonly unwrap: Unwrap
  readonly asked: () => number
  readonly breakIt: (broken: boolean) => void
} {
  let asked = 0
  let isBroken = false
  const unwrap: Unwrap = async (blob) => {
    asked++
    if (isBroken) throw new Error('the key service is away')
    const key = unwrapByKey(kek, blob)
    assert.ok(key)
    return key
  }
  return { unwrap, asked: () => asked, breakIt: (broken) => void (isBroken = broken) }
}

const wrapped = (key: Uint8Array = randomBytes(32)): Uint8Array => wrapByKey(kek, key, randomBytes)

test('a key is unwrapped once within its time, also when many ask at once, and again after it', async () => {
  let nowMs = 0
  const { unwrap, asked } = counted()
  const remembering = rememberUnwrapped(unwrap, () => nowMs, { keysMax: 10, keptMs: 1_000 })
  const key = randomBytes(32)
  const blob = wrapped(key)
  const all = await Promise.all([1, 2, 3].map(() => remembering(blob)))
  assert.ok(all.every((each) => Buffer.from(each).equals(key)))
  assert.equal(asked(), 1)
  nowMs = 1_000
  await remembering(blob)
  assert.equal(asked(), 2)
})

test('no more are kept than the limit; the oldest go first', async () => {
  const { unwrap, asked } = counted()
  const remembering = rememberUnwrapped(unwrap, () => 0, { keysMax: 2, keptMs: 1_000 })
  const blobs = [1, 2, 3].map(() => wrapped())
  for (const blob of blobs) await remembering(blob)
  const [first, , third] = blobs
  assert.ok(first && third)
  await remembering(third)
  assert.equal(asked(), 3, 'the newest is kept')
  await remembering(first)
  assert.equal(asked(), 4, 'the oldest is not')
})

test('a failure is not kept: it is asked again, and works when the service is back', async () => {
  const { unwrap, asked, breakIt } = counted()
  const remembering = rememberUnwrapped(unwrap, () => 0)
  const blob = wrapped()
  breakIt(true)
  await assert.rejects(remembering(blob), /away/)
  await assert.rejects(remembering(blob), /away/)
  breakIt(false)
  assert.equal((await remembering(blob)).length, 32)
  assert.equal(asked(), 3)
})
