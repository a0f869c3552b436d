import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { BENCH_LOG, detailOf, grant, PATIENT } from '../../test/hip-bench.ts'
import { useTransfers } from '../../test/hip-transfers.ts'
import { sequenceNow } from '../audit/sequencer.ts'
import { verifyReceipt } from '../audit/verify.ts'
import { isRefusal } from '../kernel/refusal.ts'

const OTHER = 'IN9990000099'

describe('software of a partner at a facility', () => {
  const world = useTransfers()
  const receiver = (detailOf('x') as { readonly hiu: { readonly id: string } }).hiu.id
  const call = async (partner: string, url: string, payload?: object) => {
    const method = payload === undefined ? 'GET' : 'POST'
    const headers = { 'x-partner': partner }
    const answer = await world.bench.app.inject({ method, url, headers, ...(payload === undefined ? {} : { payload }) })
    return { status: answer.statusCode, body: answer.json() }
  }

  it('sees the consents that name it, what it was sent, and receipts of that; others see nothing', async () => {
    const consentId = await grant(world.bench)
    await world.bench.drain()
    await world.ask(consentId)
    await world.bench.drain()
    await sequenceNow(world.bench.machine, BENCH_LOG.signer)
    const { consents } = (await call(receiver, '/v1/partner/consents')).body
    assert.deepEqual([consents[0].consentId, consents[0].status], [consentId, 'GRANTED'])
    const { disclosures, before } = (await call(receiver, '/v1/partner/disclosures?limit=1')).body
    assert.deepEqual([disclosures.length, disclosures[0].status, disclosures[0].consentId], [1, 'sent', consentId])
    const rest = (await call(receiver, `/v1/partner/disclosures?limit=100&before=${before}`)).body
    assert.equal(rest.disclosures.length, 1)
    const at = `/v1/partner/receipts/${disclosures[0].event}?patient=${PATIENT}`
    const receipt = await call(receiver, at)
    assert.equal(receipt.status, 200, JSON.stringify(receipt.body))
    assert.ok(!isRefusal(verifyReceipt(JSON.stringify(receipt.body), {})))
    assert.deepEqual((await call(OTHER, '/v1/partner/consents')).body.consents, [])
    assert.deepEqual((await call(OTHER, '/v1/partner/disclosures')).body.disclosures, [])
    assert.equal((await call(OTHER, at)).status, 404)
  })

  it('asks whether something may be shared under a consent; for others the consent does not exist', async () => {
    const consentId = await grant(world.bench)
    await world.bench.drain()
    const may = (partner: string, more: object = {}) => call(partner, '/v1/decisions', { consentId, ...more })
    assert.equal((await may(receiver)).body.outcome, 'allow')
    const outside = { from: '1990-01-01T00:00:00Z', to: '1991-01-01T00:00:00Z' }
    const denied = await may(receiver, outside)
    assert.deepEqual([denied.body.outcome, denied.body.withheld[0].why], ['deny', 'outside-period'])
    assert.equal((await may(OTHER)).status, 404)
    assert.equal((await may(receiver, { from: '2024-01-01T00:00:00Z' })).status, 400)
    assert.equal((await may(receiver, { consentId: '01a20000-0000-7000-8000-000000000001' })).status, 404)
  })
})
