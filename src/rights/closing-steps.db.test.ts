import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import pino from 'pino'
import { ASHA, CLINIC, HOSPITAL, INDEX_KEY, startTestExchange, type TestExchange } from '../../test/consent-exchange.ts'
import { bodyOf, consentSteps, only, RANGE } from '../../test/consent-steps.ts'
import { type AuditEvent, record } from '../audit/record.ts'
import { artefactsOf, requestOf } from '../consent/readers.ts'
import { insertArtefact, insertRequest } from '../consent/store.ts'
import { makeKeyMaterial, makeNonce } from '../crypto/key-agreement.ts'
import { makeKeyPair } from '../crypto/sealing.ts'
import type { Machine, Reaction } from '../db/tx.ts'
import { claimJobs } from '../jobs/queue.ts'
import { runJob } from '../jobs/worker.ts'
import { bucketOf } from '../kernel/bucket.ts'
import { type AbhaAddress, makeId, parseAbhaAddress } from '../kernel/id.ts'
import { LIMITS } from '../kernel/limits.ts'
import { type PlaceInParts, parsePlaceInParts } from '../kernel/list-place.ts'
import { isRefusal, must } from '../kernel/refusal.ts'
import { accountHold, type Closing } from '../people/closing.ts'
import { closedAccounts, reopenAccount } from '../people/closing-commands.ts'
import { insertClosing, updateHeld } from '../people/closing-store.ts'
import { readPatient } from '../people/commands.ts'
import { CLOSE_ACCOUNT_JOB, closeAccount, closeStep } from './closing-commands.ts'
import { closeAccountJob } from './closing-jobs.ts'

const OPERATOR = { kind: 'operator', id: 'test' } as const
const CONSENTS = 230
type Page = Awaited<ReturnType<typeof closedAccounts>>
const PAGE = { limit: 1_000, offset: 0 }
let exchange: TestExchange
const steps = consentSteps(() => exchange)
describe('rights/closing-steps', () => {
  before(async () => void (exchange = await startTestExchange()))
  after(() => exchange.close())

  const inForce = () =>
    exchange.inTx(async (tx) => (await artefactsOf(tx, ASHA, { status: 'GRANTED', page: PAGE })).items.length)
  const reopened = (wish: string) => exchange.inTx((tx) => reopenAccount(tx, { patient: ASHA, actor: OPERATOR, wish }))

  /** One consent by the usual way, the others as its like. */
  async function manyConsents(): Promise<string> {
    const first = await steps.consented()
    await exchange.inTx(async (tx) => {
      const recorded = await record<AuditEvent>(tx, { type: 'test.many-consents', actor: OPERATOR })
      const [artefact] = (await artefactsOf(tx, ASHA, { status: 'GRANTED', page: PAGE })).items
      assert.ok(artefact)
      const request = must(await requestOf(tx, ASHA, artefact.request))
      for (let no = 1; no < CONSENTS; no++) {
        const id = makeId<'consent-request'>(tx.now, tx.random, bucketOf(ASHA))
        await insertRequest(tx, recorded, { ...request, id })
        const twin = { ...artefact, id: makeId<'artefact'>(tx.now, tx.random, bucketOf(ASHA)), request: id }
        await insertArtefact(tx, recorded, twin)
      }
    })
    return first
  }

  async function errorOfRequest(consent: string): Promise<unknown> {
    await exchange.takeSent()
    const { random, now } = exchange.machine
    const expiry = new Date(now().getTime() + 3_600_000)
    const keyMaterial = makeKeyMaterial(makeKeyPair(random), makeNonce(random), expiry, 'raw')
    const hiRequest = {
      consent: { id: consent },
      dateRange: RANGE,
      dataPushUrl: 'https://hiu.example/data',
      keyMaterial,
    }
    const reply = await exchange.asBridge(
      'bridge-clinic',
      '/data-flow/v3/health-information/request',
      { hiRequest },
      { 'x-hiu-id': CLINIC },
    )
    assert.equal(reply.status, 202, JSON.stringify(reply.body))
    const answer = only(await exchange.takeSent(), '/api/v3/hiu/health-information/on-request')
    return bodyOf(answer)['error']?.['code']
  }

  async function claimed() {
    const job = (await claimJobs(exchange.machine, 1_000)).find(({ kind }) => kind === CLOSE_ACCOUNT_JOB)
    assert.ok(job, 'the job waits to be taken')
    return job
  }

  /** The machine of a process that breaks at the n-th consent that it ends. */
  function breakingAt(count: number): Machine {
    let seen = 0
    const breaks: Reaction = async () => {
      seen += 1
      if (seen === count) throw new Error('broken machine')
    }
    const { reactions } = exchange.machine
    const ends = [...(reactions.get('consent.revoked') ?? []), breaks]
    return { ...exchange.machine, reactions: new Map([...reactions, ['consent.revoked', ends]]) }
  }

  test('hundreds of consents end step by step: through a kill between steps and a fault within one, each once; nothing is given meanwhile', async () => {
    const first = await manyConsents()
    assert.equal(await errorOfRequest(first), undefined, 'before, the clinic gets what it asks for')
    const closing = must(
      await exchange.inTx((tx) =>
        closeAccount(
          tx,
          { ...exchange.needs, indexKey: INDEX_KEY },
          { patient: ASHA, actor: OPERATOR, wish: 'letter 1' },
        ),
      ),
    )
    assert.equal(closing.status, 'stopped')

    // From the first moment, before any step: no account, no data under consents that still stand, no way back half-way.
    assert.equal(await inForce(), CONSENTS)
    assert.equal(await exchange.inTx((tx) => readPatient(tx, ASHA)), undefined)
    assert.notEqual(await errorOfRequest(first), undefined)
    const early = await reopened('letter 2')
    assert.ok(isRefusal(early) && early.code === 'people/still-closing')

    // A process takes the job, does two steps, and is killed in the third: what it had committed stays, it settles nothing.
    await claimed()
    for (let step = 0; step < 2; step++) await exchange.inTx((tx) => closeStep(tx, ASHA, OPERATOR))
    await assert.rejects(
      exchange.inTx(async (tx) => {
        await closeStep(tx, ASHA, OPERATOR)
        throw new Error('killed')
      }),
    )
    const left = await inForce()
    assert.equal(left, CONSENTS - 2 * LIMITS.closingStepMax, 'requests are granted: two steps of consents')
    const [shown] = (await exchange.inTx((tx) => closedAccounts(tx, { limit: 10 }))).accounts
    assert.equal(shown?.status, 'stopped', 'the operator sees that it is not done')

    // The next one breaks in the middle of a step: that step is undone whole, and the job waits.
    exchange.clock.advance(LIMITS.jobLeaseMs + 1)
    const log = pino({ level: 'silent' })
    const handlers = new Map([closeAccountJob])
    await runJob({ machine: breakingAt(2 * LIMITS.closingStepMax + 7), handlers, log }, await claimed())
    assert.equal(await inForce(), left - 2 * LIMITS.closingStepMax)

    // Two at once, as when a lease ran out while the first still worked.
    exchange.clock.advance(LIMITS.jobRetryDelayMsMax)
    const job = await claimed()
    await Promise.all([0, 1].map(() => runJob({ machine: exchange.machine, handlers, log }, job)))
    assert.equal(await inForce(), 0)
    const types = await exchange.eventTypes()
    assert.equal(types.filter((type) => type === 'consent.revoked').length, CONSENTS, 'each once')
    assert.equal(types.filter((type) => type === 'people.account-held').length, 1)
    const told = (await exchange.takeSent()).filter(({ path }) => path.endsWith('/notify'))
    for (const [path, facility] of [
      ['/api/v3/hiu/consent/request/notify', CLINIC],
      ['/api/v3/consent/request/hip/notify', HOSPITAL],
    ] as const) {
      const count = told.filter(
        (message) => message.path === path && 'facility' in message.to && message.to.facility === facility,
      )
      assert.equal(
        count.length,
        CONSENTS,
        `${facility} is told of each: ${[...new Set(told.map((each) => each.path))].join()}`,
      )
    }
    const [held] = (await exchange.inTx((tx) => closedAccounts(tx, { limit: 10 }))).accounts
    assert.equal(held?.status, 'held')
    assert.equal(await exchange.inTx((tx) => closeStep(tx, ASHA, OPERATOR)), false, 'nothing is left to do')
    assert.equal(await reopened('letter 3'), ASHA)
  })

  test('the operator reads closed accounts by the page: what still ends, then those erased next, each once', async () => {
    const names = ['a', 'b', 'c', 'd'].map((name) => `${name}.closed@sbx` as AbhaAddress)
    await exchange.inTx(async (tx) => {
      const recorded = await record<AuditEvent>(tx, { type: 'test.closed-accounts', actor: OPERATOR })
      for (const [no, patient] of names.entries()) {
        const closing = await insertClosing(tx, recorded, patient)
        if (no > 1) await updateHeld(tx, recorded, closing, accountHold(tx.now))
      }
    })
    const { accounts: all, next: end } = await exchange.inTx((tx) => closedAccounts(tx, { limit: 100 }))
    assert.equal(end, undefined)
    assert.deepEqual(
      all.map(({ status }) => status),
      ['stopped', 'stopped', 'held', 'held'],
    )
    assert.deepEqual(all.map(({ patient }) => patient).toSorted(), names)
    const paged: Closing[] = []
    for (let after: PlaceInParts<AbhaAddress> | 'first' | undefined = 'first'; after !== undefined; ) {
      const place: PlaceInParts<AbhaAddress> | undefined = after === 'first' ? undefined : after
      const page: Page = await exchange.inTx((tx) => closedAccounts(tx, { after: place, limit: 1 }))
      assert.equal(page.accounts.length, 1)
      paged.push(...page.accounts)
      after = page.next === undefined ? undefined : parsePlaceInParts(page.next, parseAbhaAddress)
    }
    assert.deepEqual(paged, all)
  })
})
