import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { copyDatabase, restoreCopy } from '../../test/database-copy.ts'
import { type Asked, granted, type HiuBench, openHiuBench, PATIENT, tell } from '../../test/hiu-bench.ts'
import { documentText, LOOK, recordsOf, sealPage } from '../../test/hiu-provider.ts'
import { transact } from '../db/tx.ts'
import { eraseCopyAgain } from '../hiu/erase.ts'
import { existingDataKey } from '../vault/data-keys.ts'
import { type ForgetAgain, markErased } from '../vault/erasures.ts'

const DAY_MS = 86_400_000
type Kept = { artefact: string; until: string; for: string; law: string; ended: string }
type KeptPage = { copies: readonly Kept[]; next?: string }

describe('a facility keeps a copy that a law demands, and erases it at its day', () => {
  let bench: HiuBench
  before(async () => void (bench = await openHiuBench({ keepsByLaw: ['clinical-records'] })))
  after(() => bench.close())

  /** A consent with one document; read by a doctor or not. */
  async function copy(note: string, isRead: boolean): Promise<Asked & { readonly document: string }> {
    const asked = await granted(bench)
    const text = documentText('Prescription', { note })
    await bench.push(asked.dataPushUrl, sealPage(bench, asked, [{ careContext: 'visit-1', text }], {}).body)
    await bench.drain()
    const [record] = await recordsOf(bench, asked)
    assert.ok(record)
    if (isRead) assert.equal((await bench.native('POST', `/v1/records/${record.id}/view`, LOOK)).status, 200)
    return { ...asked, document: record.id }
  }
  const revoke = async (asked: Asked): Promise<void> => {
    await tell(bench, asked.exchange, 'REVOKED', [asked.consentId])
    await bench.drain()
  }
  const kept = async (): Promise<readonly Kept[]> =>
    ((await bench.native('GET', '/v1/copies/kept')).json as { copies: readonly Kept[] }).copies
  const keyOf = ({ consentId }: Asked) =>
    transact(bench.machine, (tx) => existingDataKey(tx, PATIENT, consentId as never))
  const told = (path: string, { consentId }: Asked) =>
    bench.sent.filter(({ path: of, body }) => of === path && (body as { consentId?: string }).consentId === consentId)

  it('what nobody read is no clinical record: erased at once', async () => {
    const asked = await copy('unread', false)
    await revoke(asked)
    assert.equal(await keyOf(asked), undefined)
    assert.deepEqual(await recordsOf(bench, asked), [])
    assert.equal(told('/v1/erasures', asked).length, 1)
    assert.equal(told('/v1/retentions', asked).length, 0)
  })

  it('after a restore of a database from before an erasure, the rows go again, and the exchange is told', async () => {
    const asked = await copy('erased, then restored', false)
    const lastWeek = await copyDatabase(bench.connectionString)
    await revoke(asked)
    assert.deepEqual(await recordsOf(bench, asked), [])
    await restoreCopy(bench.connectionString, lastWeek)
    assert.equal((await recordsOf(bench, asked)).length, 1, 'the row came back')
    const forget: ForgetAgain = (tx, { patient, scope }) =>
      eraseCopyAgain(tx, bench.needs, { artefact: scope, patient: patient as never })
    await markErased(bench.machine, forget)
    await bench.drain()
    assert.deepEqual(await recordsOf(bench, asked), [])
    assert.equal(await keyOf(asked), undefined)
    assert.equal(await bench.count('hiu.copy-stopped-again'), 1)
    assert.equal(told('/v1/erasures', asked).length, 2)
    assert.equal(await markErased(bench.machine, forget), 0)
  })

  it('a legal claim keeps a copy by hand, and its lifting erases it', async () => {
    const asked = await copy('claimed', false)
    const until = new Date(bench.clock.now().getTime() + 30 * DAY_MS).toISOString()
    const path = `/v1/copies/${asked.consentId}/claim`
    assert.equal((await bench.native('DELETE', path)).status, 404)
    assert.equal((await bench.native('POST', path, { until, reference: 'CC/12/2026' })).status, 204)
    const view = await bench.native('POST', `/v1/records/${asked.document}/view`, LOOK)
    assert.equal(view.status, 200, 'a claim on a copy whose consent lasts changes nothing yet')
    await revoke(asked)
    // Read under the consent: the law on clinical records keeps it longer than the claim.
    assert.deepEqual(
      (await kept()).map((one) => [one.artefact, one.for]),
      [[asked.consentId, 'clinical-records']],
    )
    const other = await copy('claimed, unread', false)
    await bench.native('POST', `/v1/copies/${other.consentId}/claim`, { until, reference: 'CC/13/2026' })
    await revoke(other)
    const all = await kept()
    assert.equal(all.find(({ artefact }) => artefact === other.consentId)?.for, 'legal-claim')
    const paged: Kept[] = []
    for (let after: string | undefined = ''; after !== undefined; ) {
      const page = (await bench.native('GET', `/v1/copies/kept?limit=1${after && `&after=${after}`}`)).json as KeptPage
      assert.equal(page.copies.length, 1)
      paged.push(...page.copies)
      after = page.next
    }
    assert.deepEqual(paged, all)
    assert.equal(all.length, 2)
    assert.equal((await bench.native('DELETE', `/v1/copies/${other.consentId}/claim`)).status, 204)
    assert.equal(await keyOf(other), undefined)
    const late = await bench.native('POST', `/v1/copies/${other.consentId}/claim`, { until, reference: 'CC/14/2026' })
    assert.equal(late.status, 409)
    const unknown = '01a20000-0000-7000-8000-000000000001'
    assert.equal((await bench.native('POST', `/v1/copies/${unknown}/claim`, { until, reference: 'x' })).status, 404)
  })

  it('what was read is stopped at once and kept sealed, the exchange is told why, and it goes when the day has come', async () => {
    const asked = await copy('read', true)
    await revoke(asked)
    const view = await bench.native('POST', `/v1/records/${asked.document}/view`, LOOK)
    assert.equal(view.status, 403)
    assert.notEqual(await keyOf(asked), undefined, 'kept, sealed')
    assert.equal(
      await transact(bench.machine, (tx) => existingDataKey(tx, PATIENT, asked.requestId as never)),
      undefined,
    )
    const one = (await kept()).find(({ artefact }) => artefact === asked.consentId)
    const until = new Date(bench.clock.now().getTime() + 1_096 * DAY_MS).toISOString()
    assert.deepEqual(one && [one.artefact, one.for, one.until, one.ended], [
      asked.consentId,
      'clinical-records',
      until,
      'REVOKED',
    ])
    assert.deepEqual(told('/v1/retentions', asked)[0]?.body, {
      consentId: asked.consentId,
      until,
      reason: 'clinical-records',
      law: one?.law,
    })
    assert.equal(told('/v1/erasures', asked).length, 0)
    // Told a second time: nothing moves.
    await revoke(asked)
    assert.equal(told('/v1/retentions', asked).length, 1)
    bench.clock.advance(1_096 * DAY_MS - 1)
    await bench.chores()
    assert.notEqual(await keyOf(asked), undefined)
    bench.clock.advance(1)
    await bench.chores()
    await bench.drain()
    assert.deepEqual(await kept(), [])
    assert.equal(await keyOf(asked), undefined)
    assert.deepEqual(await recordsOf(bench, asked), [])
    const [attested] = told('/v1/erasures', asked)
    assert.deepEqual(
      attested && [(attested.body as { reason: string }).reason, (attested.body as { documents: number }).documents],
      ['REVOKED', 1],
    )
  })
})
