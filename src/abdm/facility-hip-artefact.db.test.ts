import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { detailOf, grant, HIU, newId, notify, PATIENT } from '../../test/hip-bench.ts'
import { ON_NOTIFY, ON_REQUEST, useTransfers } from '../../test/hip-transfers.ts'
import { refuse } from '../kernel/refusal.ts'

describe('a provider holding artefacts', () => {
  const world = useTransfers()

  it('refuses one with a bad signature, one for another facility, one that is not whole; and records it', async () => {
    const before = await world.events('hip.artefact-refused')
    const consentId = newId(world.bench)
    world.bench.verdict.value = refuse('crypto/signature-invalid')
    await notify(world.bench, { status: 'GRANTED', consentId, consentDetail: detailOf(consentId), signature: 'c2ln' })
    await world.bench.drain()
    assert.deepEqual(world.acknowledged()?.acknowledgement, {
      status: 'ERRORED',
      consentId,
    })
    assert.equal(world.errorOf(ON_NOTIFY)?.code, 'ABDM-1006')
    world.bench.verdict.value = true
    await notify(world.bench, {
      status: 'GRANTED',
      consentId,
      consentDetail: detailOf(consentId, { hip: { id: HIU, name: 'x' } }),
      signature: 'c2ln',
    })
    await world.bench.drain()
    assert.equal(world.errorOf(ON_NOTIFY)?.code, 'ABDM-1035')
    await notify(world.bench, { status: 'GRANTED', consentId })
    await notify(world.bench, {
      status: 'GRANTED',
      consentId: newId(world.bench),
      consentDetail: detailOf(consentId),
      signature: 'c2ln',
    })
    await world.bench.drain()
    assert.equal((await world.events('hip.artefact-refused')) - before, 4)
    await world.ask(consentId)
    await world.bench.drain()
    assert.equal(world.errorOf(ON_REQUEST)?.code, 'ABDM-1112')
  })

  it('honours an end that comes first or unsigned; a late grant changes nothing and is acknowledged', async () => {
    const consentId = newId(world.bench)
    await notify(world.bench, { status: 'REVOKED', consentId })
    await world.bench.drain()
    const late = { status: 'GRANTED', consentId, consentDetail: detailOf(consentId), signature: 'c2ln' }
    assert.equal((await notify(world.bench, late)).status, 202)
    await world.bench.drain()
    assert.equal(world.bench.sent.filter(({ path }) => path === ON_NOTIFY).length, 2, 'both are acknowledged')
    assert.equal(await world.events('hip.artefact-late'), 1)
    assert.deepEqual(world.acknowledged()?.acknowledgement, {
      status: 'OK',
      consentId,
    })
    await world.ask(consentId)
    await world.bench.drain()
    assert.equal(world.errorOf(ON_REQUEST)?.code, 'ABDM-1062')
    const granted = await grant(world.bench)
    world.bench.verdict.value = refuse('crypto/signature-invalid')
    await notify(world.bench, {
      status: 'REVOKED',
      consentId: granted,
      consentDetail: detailOf(granted),
      signature: 'YmFk',
    })
    await notify(world.bench, { status: 'EXPIRED', consentId: granted })
    await world.bench.drain()
    await world.ask(granted)
    await world.bench.drain()
    assert.equal(world.errorOf(ON_REQUEST)?.code, 'ABDM-1062', 'REVOKED stays, whatever comes after')
  })

  it('keeps its copy sealed, and answers the same message twice without effect', async () => {
    const consentId = newId(world.bench)
    const body = {
      notification: { status: 'GRANTED', consentId, consentDetail: detailOf(consentId), signature: 'c2ln' },
    }
    const headers = { 'request-id': newId(world.bench) as string }
    assert.equal((await world.bench.callback('/api/v3/consent/request/hip/notify', body, headers)).status, 202)
    assert.equal((await world.bench.callback('/api/v3/consent/request/hip/notify', body, headers)).status, 202)
    await world.bench.drain()
    assert.equal(world.bench.sent.filter(({ path }) => path === ON_NOTIFY).length, 1)
    const row = await world.bench.machine.db
      .selectFrom('hip_artefact')
      .selectAll()
      .where('bucket', '>=', 0)
      .where('consent_id', '=', consentId)
      .executeTakeFirst()
    assert.ok(row?.detail)
    assert.doesNotMatch(row.detail.toString('latin1'), /Prescription|CAREMGT/)
    assert.equal(row.abha_address, PATIENT)
  })

  it('is not moved by a callback that names another facility', async () => {
    const consentId = newId(world.bench)
    const answer = await world.bench.callback(
      '/api/v3/consent/request/hip/notify',
      { notification: { status: 'REVOKED', consentId } },
      { 'x-hip-id': HIU },
    )
    assert.equal(answer.status, 403)
  })
})
