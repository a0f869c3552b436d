import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isRefusal } from '../kernel/refusal.ts'
import { makeExchangeKeys } from './exchange-keys.ts'

test('a clock that was ahead and is right again does not keep the keys of the exchange away', async () => {
  let nowMs = Date.parse('2026-11-22T08:00:00Z')
  let fetches = 0
  const keys = makeExchangeKeys({
    outbound: {
      call: async () => {
        fetches++
        return { kind: 'failed', reason: 'no answer', tookMs: 1 }
      },
      close: async () => undefined,
    },
    jwksUrl: 'http://sbx.example/certs',
    headers: async () => ({}),
    facility: 'IN2710000011',
    artefactSignature: 'rs256-jcs',
    now: () => new Date(nowMs),
  })
  assert.ok(isRefusal(await keys.verifyCallback('x.y.z')))
  assert.equal(fetches, 1)
  nowMs -= 3_600_000
  assert.ok(isRefusal(await keys.verifyCallback('x.y.z')))
  assert.equal(fetches, 2)
})
