import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { openTestDatabase, type TestDatabase } from '../../test/database.ts'
import { makeTestClock, makeTestMachine } from '../../test/machine.ts'
import { type Machine, type Tx, transact } from '../db/tx.ts'
import type { Caller } from '../kernel/caller.ts'
import { LIMITS } from '../kernel/limits.ts'
import { isRefusal, must, type Refusal } from '../kernel/refusal.ts'
import { codeOfSecret } from '../people/authenticator.ts'
import { endOperator, enrolOperator, lacksOperators, listOperators, proveOperator } from './commands.ts'

const TOKEN: Caller = { kind: 'operator', name: 'operator' }
const actor = { kind: 'operator', id: 'root at the machine' } as const
const needs = { indexKey: Buffer.alloc(32, 7), sandbox: false }
const STEP_MS = 30_000
const ACT = 'POST /v1/keys/rotate'
const clock = makeTestClock()
let database: TestDatabase
let machine: Machine

describe('operators', () => {
  before(async () => {
    database = await openTestDatabase()
    machine = makeTestMachine(database, { clock })
  })
  after(() => database.close())

  const inTx = <T>(work: (tx: Tx) => Promise<T>): Promise<T> => transact(machine, work)
  const enrol = (name: string, again = false) =>
    inTx((tx) => enrolOperator(tx, { name, again, party: 'Test exchange', actor }))
  const prove = (code: string | undefined, sandbox = false) =>
    inTx((tx) => proveOperator(tx, { ...needs, sandbox }, TOKEN, { code, act: ACT }))
  const codeOf = (answer: unknown): string => (isRefusal(answer) ? answer.code : 'done')
  const eventsOf = async (type: string) => {
    const { rows } = await database.pool.query<{ body: Buffer }>('select body from audit_event where type = $1', [type])
    return rows.map(({ body }) => body.toString('utf8'))
  }

  test('without anybody enrolled nothing grave is done, except in a sandbox', async () => {
    assert.ok(await inTx((tx) => lacksOperators(tx, { sandbox: false })))
    for (const code of [undefined, 'asha:123456', 'x']) {
      const answer = (await prove(code)) as Refusal
      assert.equal(answer.code, 'operator/none-enrolled')
      assert.match(answer.detail, /amanat operator enrol --config FILE --name NAME.*X-Operator-Code/)
      assert.deepEqual(await prove(code, true), TOKEN)
    }
    assert.deepEqual(await inTx((tx) => listOperators(tx)), [])
  })

  test('who is enrolled proves it by a code, once; the log says who', async () => {
    const { uri, secret, name } = must(await enrol('Asha'))
    assert.equal(name, 'asha')
    assert.match(uri, /^otpauth:\/\/totp\/Test%20exchange:asha\?.*secret=/)
    assert.ok(!(await inTx((tx) => lacksOperators(tx, { sandbox: false }))))
    const needed = (await prove(undefined, true)) as Refusal
    assert.equal(needed.code, 'operator/proof-needed', 'in a sandbox, too, once somebody is enrolled')
    assert.match(needed.detail, /X-Operator-Code: NAME:CODE/)
    const code = codeOfSecret(secret, clock.now())
    assert.deepEqual(await prove(`asha:${code}`), { kind: 'operator', name: 'asha', proved: true })
    const again = (await prove(`asha:${code}`)) as Refusal
    assert.deepEqual([again.code, /used already/.test(again.detail)], ['operator/wrong-code', true])
    clock.advance(STEP_MS)
    assert.equal(codeOf(await prove(`asha:${codeOfSecret(secret, clock.now())}`)), 'done')
    const proved = await eventsOf('operator.proved')
    assert.equal(proved.length, 2)
    for (const event of proved) assert.ok(event.includes('"id":"asha"') && event.includes(ACT), event)
    assert.equal((await eventsOf('operator.proof-failed')).length, 1)
    const [listed] = await inTx((tx) => listOperators(tx))
    assert.deepEqual(Object.keys(listed ?? {}), ['name', 'status', 'enrolledAt', 'provedAt'])
  })

  test('the same code at the same moment lets one in', async () => {
    const { secret } = must(await enrol('twice'))
    const code = `twice:${codeOfSecret(secret, clock.now())}`
    const answers = await Promise.all([prove(code), prove(code), prove(code)])
    assert.deepEqual(answers.map(codeOf).toSorted(), ['done', 'operator/wrong-code', 'operator/wrong-code'])
  })

  test('what is no code, or a code of another, is wrong alike; names that nobody has take the same path', async () => {
    const { secret } = must(await enrol('meera'))
    const code = codeOfSecret(secret, clock.now())
    const [known, unknown] = [await prove('meera:000000'), await prove('nobody:000000')]
    assert.deepEqual(known, unknown)
    for (const wrong of [`asha:${code}`, `nobody:${code}`, code, 'meera', `meera:${code}0`])
      assert.equal(codeOf(await prove(wrong)), 'operator/wrong-code', wrong)
    assert.equal(codeOf(await prove(`meera:${code}`)), 'done')
  })

  test('wrong codes slow down that name, for minutes, and say for how long', async () => {
    const { secret } = must(await enrol('lata'))
    for (let i = 0; i <= LIMITS.staffGuessesFree; i++)
      assert.equal(codeOf(await prove('lata:000000')), 'operator/wrong-code')
    const slowed = (await prove(`lata:${codeOfSecret(secret, clock.now())}`)) as Refusal
    assert.equal(slowed.code, 'request/too-many')
    assert.equal(slowed.retryAfterS, 1)
    clock.advance(2_000)
    assert.equal(codeOf(await prove(`lata:${codeOfSecret(secret, clock.now())}`)), 'done')
  })

  test('another secret, and the end, make codes of the one before worthless', async () => {
    const first = must(await enrol('ravi'))
    assert.equal(codeOf(await enrol('ravi')), 'operator/name-taken')
    const second = must(await enrol('ravi', true))
    clock.advance(STEP_MS)
    assert.equal(codeOf(await prove(`ravi:${codeOfSecret(first.secret, clock.now())}`)), 'operator/wrong-code')
    assert.equal(codeOf(await prove(`ravi:${codeOfSecret(second.secret, clock.now())}`)), 'done')
    must(await inTx((tx) => endOperator(tx, { name: 'Ravi', actor })))
    assert.equal(codeOf(await inTx((tx) => endOperator(tx, { name: 'ravi', actor }))), 'operator/unknown')
    clock.advance(STEP_MS)
    assert.equal(codeOf(await prove(`ravi:${codeOfSecret(second.secret, clock.now())}`)), 'operator/wrong-code')
    const row = await machine.db.selectFrom('party_operator').selectAll().where('name', '=', 'ravi').executeTakeFirst()
    assert.deepEqual([row?.code_key, row?.sealed_code_secret], [null, null], 'its secret is gone')
    const third = must(await enrol('ravi', true))
    assert.equal(codeOf(await prove(`ravi:${codeOfSecret(third.secret, clock.now())}`)), 'done')
  })

  test('who can only write in the database enrols nobody, revives nobody, and lets no code be used again', async () => {
    const { secret } = must(await enrol('honest'))
    const code = `honest:${codeOfSecret(secret, clock.now())}`
    assert.equal(codeOf(await prove(code)), 'done')
    await database.pool.query(`update party_operator set code_step_used = 0 where name = 'honest'`)
    assert.equal(codeOf(await prove(code)), 'operator/wrong-code')
    await database.pool.query(
      `insert into party_operator select 'forged', status, code_key, sealed_code_secret, 0, enrolled_at, changed_at, tie
       from party_operator where name = 'meera'`,
    )
    assert.equal(codeOf(await prove('forged:000000')), 'operator/wrong-code')
    assert.ok(!(await inTx((tx) => listOperators(tx))).some(({ name }) => name === 'forged' || name === 'honest'))
    assert.equal((await eventsOf('credential.tampered')).length, 2)
    const renewed = must(await enrol('honest', true))
    assert.equal(codeOf(await prove(`honest:${codeOfSecret(renewed.secret, clock.now())}`)), 'done')
  })

  test('names of programs and what is no name are refused', async () => {
    for (const name of ['operator', 'sandbox', 'a', 'asha rao'])
      assert.equal(codeOf(await enrol(name)), 'request/invalid-field', name)
  })
})
