import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { type Asked, EXCHANGE, granted, type HiuBench, newId, openHiuBench, tell } from '../../test/hiu-bench.ts'
import { documentText, lastTransfer, notified, sealPage, type Transfer } from '../../test/hiu-provider.ts'
import { transact } from '../db/tx.ts'
import type { CallOutcome } from '../http/outbound.ts'
import { LIMITS } from '../kernel/limits.ts'

const [FIRST_MS, SECOND_MS] = LIMITS.silentTransferAskDelaysMs
const NOTHING = 'No record of the permitted types and dates.'

describe('a facility whose provider sends nothing more', () => {
  let bench: HiuBench
  before(async () => {
    bench = await openHiuBench()
  })
  after(() => bench.close())

  const address = ({ transactionId }: Asked) =>
    `${EXCHANGE}/data-flow/v3/health-information/request/status/${transactionId}`
  const answer = (asked: Asked, status: number, body: unknown) => {
    const text = typeof body === 'string' ? body : JSON.stringify(body)
    bench.links.set(address(asked), { kind: 'answered', status, headers: {}, body: Buffer.from(text), tookMs: 1 })
  }
  /** As our exchange answers. */
  const standing = ({ transactionId }: Asked, sessionStatus: string, why = NOTHING, error?: object) => ({
    hiRequest: {
      transactionId,
      sessionStatus,
      hip: {
        id: 'IN2710000011',
        sessionStatus,
        statusResponses: [
          { careContextReference: 'visit-1', hiStatus: 'DELIVERED', description: '1 document(s) delivered.' },
          { careContextReference: 'visit-2', hiStatus: 'ERRORED', description: why },
        ],
      },
      hiu: { sessionStatus: 'REQUESTED', statusResponses: [] },
    },
    ...(error === undefined ? {} : { error }),
  })
  const wait = async (ms: number) => {
    bench.clock.advance(ms)
    await bench.chores()
    await bench.drain()
  }
  const transfer = async (asked: Asked) => (await lastTransfer(bench, asked)) as Transfer & { readonly reason?: string }
  const told = (asked: Asked) => notified(bench, asked)
  const page = (asked: Asked, careContext: string, paging: { pageNumber?: number; pageCount?: number }) =>
    bench.push(
      asked.dataPushUrl,
      sealPage(bench, asked, [{ careContext, text: documentText('Prescription', { note: careContext }) }], paging).body,
    )

  it('ends at once what the provider reported as failed, with its reason for each care context, and tells the exchange', async () => {
    const asked = await granted(bench)
    answer(asked, 200, standing(asked, 'FAILED'))
    await wait(FIRST_MS - 1)
    assert.equal((await transfer(asked)).status, 'acknowledged', 'it is not asked before')
    await wait(1)
    const { status, reason, careContexts } = await transfer(asked)
    assert.equal(status, 'incomplete')
    assert.equal(reason, 'The provider reported that the transfer failed.')
    assert.deepEqual(
      careContexts.map((context) => [context.status, context.reason]),
      [
        ['missing', 'The provider says that it was delivered; it did not come.'],
        ['missing', `The provider says: ${NOTHING}`],
        ['missing', 'The provider reported that the transfer failed.'],
      ],
    )
    const [end, ...more] = told(asked)
    assert.equal(end?.statusNotification.sessionStatus, 'FAILED')
    assert.equal(end?.statusNotification.statusResponses?.[1]?.description, `The provider says: ${NOTHING}`)
    assert.deepEqual(more, [])
    await wait(LIMITS.transferMs)
    assert.equal(told(asked).length, 1, 'neither a later question nor the deadline ends it again')
  })

  it('names the error with which the provider declined', async () => {
    const asked = await granted(bench)
    answer(asked, 200, standing(asked, 'REFUSED', NOTHING, { code: 'ABDM-1064', message: 'No such patient' }))
    await wait(FIRST_MS)
    assert.match((await transfer(asked)).reason ?? '', /failed\. ABDM-1064: No such patient$/)
  })

  it('ends a transfer that is done with pages missing, and keeps what came', async () => {
    const asked = await granted(bench)
    answer(asked, 200, standing(asked, 'TRANSFERRED', 'The page was too large.'))
    assert.equal((await page(asked, 'visit-1', { pageNumber: 1, pageCount: 2 })).status, 202)
    await bench.drain()
    await wait(FIRST_MS)
    const ended = await transfer(asked)
    assert.deepEqual([ended.status, ended.pagesMissing], ['incomplete', 1])
    assert.deepEqual(
      ended.careContexts.map(({ status, reason }) => [status, reason]),
      [
        ['received', undefined],
        ['missing', 'The provider says: The page was too large.'],
        ['missing', 'The provider reported the transfer as done, and not all pages came.'],
      ],
    )
    assert.equal((await page(asked, 'visit-2', { pageNumber: 2, pageCount: 2 })).status, 202)
    await bench.drain()
    const whole = await transfer(asked)
    assert.deepEqual(
      [whole.status, whole.reason],
      ['complete', undefined],
      'a page that comes all the same completes it',
    )
    assert.deepEqual(
      told(asked).map(({ statusNotification }) => statusNotification.sessionStatus),
      ['FAILED', 'RECEIVED'],
    )
  })

  it('cuts off no page on its way: neither one that just came, nor one that comes while it asks', async () => {
    const asked = await granted(bench)
    answer(asked, 200, standing(asked, 'TRANSFERRED'))
    bench.clock.advance(FIRST_MS - 1_000)
    await page(asked, 'visit-1', { pageNumber: 1, pageCount: 3 })
    await bench.drain()
    const before = await bench.count('hiu.transfer-asked')
    await wait(2_000)
    assert.equal(await bench.count('hiu.transfer-asked'), before, 'a page came a moment ago')
    bench.clock.advance(FIRST_MS)
    await bench.chores()
    assert.equal(await bench.count('hiu.transfer-asked'), before + 1)
    await page(asked, 'visit-2', { pageNumber: 2, pageCount: 3 })
    await bench.drain()
    assert.equal((await transfer(asked)).status, 'receiving', 'a page came between the question and the answer')
    await page(asked, 'visit-3', { pageNumber: 3, pageCount: 3 })
    await bench.drain()
    assert.equal((await transfer(asked)).status, 'complete')
    await wait(LIMITS.transferMs)
    assert.equal(told(asked).length, 1)
  })

  it('leaves a transfer alone whatever else a gateway answers; then the deadline ends it', async () => {
    const asked = await granted(bench)
    const other = newId<'transaction'>(bench.machine)
    const done = standing(asked, 'FAILED')
    const answers: readonly (readonly [number, unknown])[] = [
      [200, standing(asked, 'ACKNOWLEDGED')],
      [200, standing(asked, 'PARTIAL_TRANSFERRED')],
      [404, done],
      [200, '<html>not here</html>'],
      [200, { ...done, hiRequest: { ...done.hiRequest, transactionId: other } }],
      [200, { hiRequest: { transactionId: asked.transactionId, sessionStatus: 'FAILED' } }],
    ]
    const before = await bench.count('hiu.transfer-asked')
    for (const [i, [status, body]] of answers.entries()) {
      answer(asked, status, body)
      await wait(LIMITS.silentTransferAskDelaysMs[i] ?? 0)
      assert.equal((await transfer(asked)).status, 'acknowledged', JSON.stringify(body))
    }
    assert.equal(await bench.count('hiu.transfer-asked'), before + answers.length)
    assert.deepEqual(told(asked), [])
    await wait(LIMITS.transferMs)
    const { status, reason, careContexts } = await transfer(asked)
    assert.deepEqual([status, reason], ['incomplete', undefined])
    assert.match(careContexts[0]?.reason ?? '', /time for the transfer ran out/)
    assert.equal(await bench.count('hiu.transfer-asked'), before + answers.length, 'it is asked a few times only')
  })

  it('asks again when no answer came: the question was lost, or its answer was', async () => {
    for (const reason of ['ECONNREFUSED: not applied', 'no answer in time']) {
      const asked = await granted(bench)
      const lost: CallOutcome = { kind: 'failed', reason, tookMs: 1 }
      bench.links.set(address(asked), lost)
      await wait(FIRST_MS)
      assert.equal((await transfer(asked)).status, 'acknowledged', reason)
      answer(asked, 200, standing(asked, 'FAILED'))
      await wait(SECOND_MS)
      assert.equal((await transfer(asked)).status, 'incomplete', reason)
      assert.equal(told(asked).length, 1)
    }
  })

  it('ends it once when the program dies between the answer and its writing', async () => {
    const asked = await granted(bench)
    answer(asked, 200, standing(asked, 'FAILED'))
    bench.clock.advance(FIRST_MS)
    await bench.chores()
    await bench.die()
    assert.equal((await transfer(asked)).status, 'acknowledged')
    await wait(LIMITS.jobLeaseMs + 1)
    assert.equal((await transfer(asked)).status, 'incomplete')
    assert.equal(told(asked).length, 1)
  })

  it('forgets the provider’s words with the copy', async () => {
    const asked = await granted(bench)
    answer(asked, 200, standing(asked, 'FAILED'))
    await wait(FIRST_MS)
    await tell(bench, asked.exchange, 'REVOKED', [asked.consentId])
    await bench.drain()
    const { status, careContexts } = await transfer(asked)
    assert.equal(status, 'erased')
    assert.ok(!JSON.stringify(careContexts).includes(NOTHING))
    const kept = await transact(bench.machine, (tx) =>
      tx.db
        .selectFrom('hiu_request')
        .select('provider_report')
        .where('bucket', '>=', 0)
        .where('id', '=', asked.requestId)
        .executeTakeFirstOrThrow(),
    )
    assert.equal(kept.provider_report, null)
  })
})
