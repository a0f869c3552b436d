import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { OutboundCall } from '../http/outbound.ts'
import type { FacilityId, Id } from '../kernel/id.ts'
import { makeTransferReports } from './transfer-reports.ts'

const TRANSACTION = '019384e2-7c00-7000-8000-000000000001' as Id<'transaction'>
const NOW = new Date('2026-11-22T06:00:00.000Z')

test('asks below the base URL with our session, and drops a session that is refused', async () => {
  const calls: OutboundCall[] = []
  let dropped = 0
  const report = makeTransferReports({
    facility: { id: 'IN2710000022' as FacilityId },
    outbound: {
      call: async (call) => {
        calls.push(call)
        const status = calls.length === 1 ? 401 : 200
        const body = {
          hiRequest: { transactionId: TRANSACTION, hip: { sessionStatus: 'failed', statusResponses: null } },
          error: null,
        }
        return { kind: 'answered', status, headers: {}, body: Buffer.from(JSON.stringify(body)), tookMs: 1 }
      },
    },
    baseUrl: 'https://exchange.example/api/hiecm',
    headers: async () => ({ authorization: 'Bearer session', 'X-CM-ID': 'sbx' }),
    tokenRefused: () => {
      dropped += 1
    },
  })
  const machine = { now: () => NOW, random: (bytes: number) => new Uint8Array(bytes) }
  assert.equal(await report(machine, TRANSACTION), undefined)
  assert.equal(dropped, 1)
  assert.deepEqual(await report(machine, TRANSACTION), { status: 'FAILED', contexts: [] })
  assert.equal(dropped, 1)
  for (const { method, url, headers } of calls) {
    assert.equal(method, 'GET')
    assert.equal(
      url,
      `https://exchange.example/api/hiecm/data-flow/v3/health-information/request/status/${TRANSACTION}`,
    )
    assert.equal(headers['authorization'], 'Bearer session')
    assert.equal(headers['X-CM-ID'], 'sbx')
    assert.equal(headers['X-HIU-ID'], 'IN2710000022')
    assert.equal(headers['TIMESTAMP'], NOW.toISOString())
  }
})
