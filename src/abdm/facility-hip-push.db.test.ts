import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { detailOf, grant, notify } from '../../test/hip-bench.ts'
import { NOTIFY, useTransfers } from '../../test/hip-transfers.ts'
import { makeOutbound } from '../http/outbound.ts'
import { refuse } from '../kernel/refusal.ts'
import { SourceUnavailable } from '../records/record.ts'

describe('pages of a provider, when something fails', () => {
  const world = useTransfers()

  it('tries again after 500, silence and dropped connections; the very same page goes again', async () => {
    for (const mood of ['error-500', 'drops-before', 'hangs', 'takes-then-drops'] as const) {
      world.requester.got.length = 0
      world.requester.mood = mood
      world.bench.patience.isShort = mood === 'hangs'
      const consentId = await grant(world.bench, { hiTypes: ['Invoice'] })
      const { transactionId } = await world.ask(consentId)
      await world.bench.drain()
      assert.equal((await world.disclosures(transactionId)).length, 0, `${mood}: nothing is settled yet`)
      world.requester.mood = 'takes'
      world.bench.patience.isShort = false
      world.bench.clock.advance(2_000)
      await world.bench.drain()
      const settled = await world.disclosures(transactionId)
      assert.deepEqual(
        settled.map(({ status }) => status),
        ['sent'],
        mood,
      )
      assert.equal(world.requester.got.length, mood === 'takes-then-drops' ? 2 : 1)
      assert.deepEqual(world.requester.got.at(-1), world.requester.got[0])
    }
  })

  it('ends once when its pages are settled at the same time', async () => {
    const consentId = await grant(world.bench)
    await world.ask(consentId)
    await world.bench.drain({ only: 'hip.collect' })
    await world.bench.runTogether()
    await world.bench.drain()
    assert.equal(world.requester.got.length, 2)
    assert.equal(world.bench.sent.filter(({ path: to }) => to === NOTIFY).length, 1)
    assert.equal(world.told().statusNotification.sessionStatus, 'TRANSFERRED')
  })

  it('takes an end and pages that settle at the same time without a deadlock', async () => {
    for (let round = 0; round < 5; round++) {
      const consentId = await grant(world.bench)
      const { transactionId } = await world.ask(consentId)
      await world.bench.drain({ only: 'hip.collect' })
      await Promise.all([world.bench.runTogether(), notify(world.bench, { status: 'REVOKED', consentId })])
      await world.bench.drain()
      const settled = await world.disclosures(transactionId)
      assert.equal(settled.length, 2)
      assert.equal(settled.filter(({ status }) => status === 'sent').length <= world.requester.got.length, true)
      world.requester.got.length = 0
    }
  })

  it('records the page that it sent before it was killed: sends it again, and counts it once', async () => {
    const consentId = await grant(world.bench, { hiTypes: ['Invoice'] })
    const { transactionId } = await world.ask(consentId)
    await world.bench.drain({ only: 'hip.collect' })
    const before = await world.events('hip.page-sending')
    await world.bench.dieAfter('hip.push')
    assert.equal(world.requester.got.length, 1)
    assert.equal((await world.events('hip.page-sending')) - before, 1, 'it was recorded before it was sent')
    world.bench.clock.advance(61_000)
    await world.bench.drain()
    assert.equal(world.requester.got.length, 2)
    assert.deepEqual(world.requester.got[0], world.requester.got[1])
    assert.deepEqual(
      (await world.disclosures(transactionId)).map(({ status }) => status),
      ['sent'],
    )
  })

  it('says that a page may have arrived, when the consent ends after a try whose answer was lost', async () => {
    world.requester.mood = 'takes-then-drops'
    const consentId = await grant(world.bench, { hiTypes: ['Invoice'] })
    const { transactionId } = await world.ask(consentId)
    await world.bench.drain()
    assert.equal(world.requester.got.length, 1)
    await notify(world.bench, { status: 'REVOKED', consentId })
    world.bench.clock.advance(5_000)
    await world.bench.drain()
    assert.equal(world.requester.got.length, 1)
    const [page] = await world.disclosures(transactionId)
    assert.equal(page?.status, 'withheld')
    const event = await world.readEvent(page?.event ?? '')
    assert.equal(event['mayHaveArrived'], true)
  })

  it('gives up where the requester refuses or redirects, and follows nobody', async () => {
    for (const mood of ['refuses', 'redirects'] as const) {
      world.requester.mood = mood
      const consentId = await grant(world.bench, { hiTypes: ['Invoice'] })
      const { transactionId } = await world.ask(consentId)
      await world.bench.drain()
      const [page] = await world.disclosures(transactionId)
      assert.equal(page?.status, 'failed')
      assert.match(page?.error ?? '', mood === 'refuses' ? /400/ : /307/)
      assert.equal(world.told().statusNotification.sessionStatus, 'FAILED')
    }
    world.requester.mood = 'rubbish'
    await world.ask(await grant(world.bench, { hiTypes: ['Invoice'] }))
    await world.bench.drain()
    assert.equal(world.told().statusNotification.sessionStatus, 'TRANSFERRED', 'only the status of the answer counts')
  })

  it('closes after 20 minutes what a requester that is down never took, and says that it may have arrived', async () => {
    world.requester.mood = 'error-500'
    const before = await world.events('hip.page-withheld')
    const consentId = await grant(world.bench, { hiTypes: ['Invoice'] })
    await world.ask(consentId)
    for (let minute = 0; minute < 21; minute++) {
      await world.bench.drain()
      world.bench.clock.advance(60_000)
    }
    await world.bench.drain()
    assert.equal((await world.events('hip.page-withheld')) - before, 1)
    assert.equal(world.told().statusNotification.sessionStatus, 'FAILED')
    assert.match(
      world.told().statusNotification.statusResponses?.find((one) => one.careContextReference === 'cc-2')
        ?.description ?? '',
      /time|20 minutes/,
    )
    world.requester.mood = 'takes'
    world.bench.clock.advance(3_600_000)
    await world.bench.drain()
    assert.equal(world.requester.got.length, 0, 'nothing is sent late')
  })

  it('waits for a source that does not answer', async () => {
    let down = true
    world.bench.sources.push({
      name: 'flaky',
      list: async () => {
        if (down) throw new SourceUnavailable('the FHIR server answered 503')
        return []
      },
      read: async () => refuse('records/unreadable'),
    })
    await world.ask(await grant(world.bench))
    await world.bench.drain()
    assert.equal(world.requester.got.length, 0)
    down = false
    world.bench.clock.advance(2_000)
    await world.bench.drain()
    assert.equal(world.requester.got.length, 2)
    world.bench.sources.pop()
  })

  it('calls no private address unless the configuration allows it, and says that nothing was sent', async () => {
    const { outbound } = world.bench.needs
    const strict = makeOutbound({ allowPrivateNetworks: false, nowMs: () => performance.now() })
    Object.assign(world.bench.needs, { outbound: strict })
    const { transactionId } = await world.ask(await grant(world.bench, { hiTypes: ['Invoice'] }))
    await world.bench.drain()
    Object.assign(world.bench.needs, { outbound })
    await strict.close()
    assert.equal(world.requester.got.length, 0)
    const [page] = await world.disclosures(transactionId)
    assert.equal(page?.status, 'failed')
    assert.match(page?.error ?? '', /private address/)
    assert.equal((await world.readEvent(page?.event ?? ''))['mayHaveArrived'], false)
    assert.equal(world.told().statusNotification.sessionStatus, 'FAILED')
  })

  it('tries again when the requester answers 401', async () => {
    world.requester.mood = 'unauthorised'
    await world.ask(await grant(world.bench, { hiTypes: ['Invoice'] }))
    await world.bench.drain()
    world.requester.mood = 'takes'
    world.bench.clock.advance(2_000)
    await world.bench.drain()
    assert.equal(world.requester.got.length, 1)
  })

  it('asks again before each page: sends none whose consent ran out after it was sealed', async () => {
    const { permission } = detailOf('x') as { permission: object }
    const dataEraseAt = new Date(world.bench.clock.now().getTime() + 60_000).toISOString()
    const { transactionId } = await world.ask(await grant(world.bench, { permission: { ...permission, dataEraseAt } }))
    await world.bench.drain({ only: 'hip.collect' })
    world.bench.clock.advance(61_000)
    await world.bench.drain()
    assert.equal(world.requester.got.length, 0)
    const pages = await world.disclosures(transactionId)
    assert.deepEqual(
      pages.map(({ status }) => status),
      ['withheld', 'withheld'],
    )
    assert.match(pages[0]?.error ?? '', /expired/)
  })

  it('drops the sealed pages at once when the consent is revoked', async () => {
    const consentId = await grant(world.bench)
    const { transactionId } = await world.ask(consentId)
    await world.bench.drain({ only: 'hip.collect' })
    await notify(world.bench, { status: 'REVOKED', consentId })
    const rows = await world.bench.machine.db
      .selectFrom('hip_page')
      .select(['status', 'body'])
      .where('bucket', '>=', 0)
      .where('transaction_id', '=', transactionId)
      .execute()
    assert.deepEqual(rows, [
      { status: 'withheld', body: null },
      { status: 'withheld', body: null },
    ])
  })
})
