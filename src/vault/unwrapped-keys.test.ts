import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { fileKeyWrap, type KeyWrap } from '../crypto/envelope.ts'
import { rememberUnwrapped } from './unwrapped-keys.ts'

function counted(): {
  readonly wrap: KeyWrap
  readonly asked: () => number
  readonly breakIt: (broken: boolean) => void
} {
  const inner = fileKeyWrap(randomBytes(32), randomBytes)
  let asked = 0
  let isBroken = false
  const unwrap: KeyWrap['unwrap'] = async (blob) => {
    asked++
    if (isBroken) throw new Error('the key service is away')
    return inner.unwrap(blob)
  }
  return { wrap: { ...inner, unwrap }, asked: () => asked, breakIt: (broken) => void (isBroken = broken) }
}

test('a key is unwrapped once within its time, also when many ask at once, and again after it', async () => {
  let nowMs = 0
  const { wrap, asked } = counted()
  const remembering = rememberUnwrapped(wrap, () => nowMs, { keysMax: 10, keptMs: 1_000 })
  const key = randomBytes(32)
  const blob = await remembering.wrap(key)
  const all = await Promise.all([1, 2, 3].map(() => remembering.unwrap(blob)))
  assert.ok(all.every((each) => Buffer.from(each).equals(key)))
  assert.equal(asked(), 1)
  nowMs = 1_000
  await remembering.unwrap(blob)
  assert.equal(asked(), 2)
})

test('no more are kept than the limit; the oldest go first', async () => {
  const { wrap, asked } = counted()
  const remembering = rememberUnwrapped(wrap, () => 0, { keysMax: 2, keptMs: 1_000 })
  const blobs = await Promise.all([1, 2, 3].map(() => remembering.wrap(randomBytes(32))))
  for (const blob of blobs) await remembering.unwrap(blob)
  const [first, , third] = blobs
  assert.ok(first && third)
  await remembering.unwrap(third)
  assert.equal(asked(), 3, 'the newest is kept')
  await remembering.unwrap(first)
  assert.equal(asked(), 4, 'the oldest is not')
})

test('a failure is not kept: it is asked again, and works when the service is back', async () => {
  const { wrap, asked, breakIt } = counted()
  const remembering = rememberUnwrapped(wrap, () => 0)
  const blob = await remembering.wrap(randomBytes(32))
  breakIt(true)
  await assert.rejects(remembering.unwrap(blob), /away/)
  await assert.rejects(remembering.unwrap(blob), /away/)
  breakIt(false)
  assert.equal((await remembering.unwrap(blob)).length, 32)
  assert.equal(asked(), 3)
})
