import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { sql } from 'kysely'
import { ASHA, type LinkingExchange, MEERA, OPERATOR, RAVI, startLinkingExchange } from '../../test/linking-exchange.ts'
import type { AbhaAddress, AbhaNumber } from '../kernel/id.ts'
import { isRefusal, must } from '../kernel/refusal.ts'
import {
  changeLanguage,
  checkActing,
  dependantsOf,
  enrolPatient,
  hasSomebodyWhoDecides,
  issuePatientToken,
  readPatient,
  verifyPatientToken,
} from './commands.ts'
import { endGuardian, nameGuardian } from './guardian-commands.ts'
import { changeMobile } from './mobile-commands.ts'

const GROUNDS = { reason: 'The mother died', evidence: 'Death certificate 118/2026; PAN card of the father: born 1985' }
const COURT = 'District Court Pune, 112/2024, 3 June 2024'
/** With a phone of his own. */
const UNCLE = {
  ...RAVI,
  abhaAddress: 'mohan.rao@sbx' as AbhaAddress,
  abhaNumber: '91000000000055' as AbhaNumber,
  name: 'Mohan Rao',
  mobile: '7555555555',
  language: 'en',
}

let exchange: LinkingExchange
describe('people/guardian', () => {
  before(async () => {
    exchange = await startLinkingExchange()
    const { inTx, needs } = exchange
    must(await inTx((tx) => enrolPatient(tx, needs, { profile: UNCLE, actor: OPERATOR })))
  })
  after(() => exchange.close())

  const codeOf = (value: unknown) => (isRefusal(value) ? value.code : 'ok')
  const needs = () => ({ ...exchange.needs, exchange: { id: 'sbx', name: 'Test exchange' } })
  const name = (guardian: AbhaAddress, more: { readonly patient?: AbhaAddress; readonly court?: string } = {}) =>
    exchange.inTx((tx) =>
      nameGuardian(tx, needs(), {
        patient: more.patient ?? MEERA.abhaAddress,
        guardian,
        guardianBasis: more.court === undefined ? 'parent' : 'appointed',
        ...(more.court === undefined ? {} : { guardianAppointment: more.court }),
        actor: OPERATOR,
        ...GROUNDS,
      }),
    )
  const end = (patient: AbhaAddress) =>
    exchange.inTx((tx) => endGuardian(tx, needs(), { patient, actor: OPERATOR, ...GROUNDS }))
  const acting = (guardian: AbhaAddress, patient = MEERA.abhaAddress) =>
    exchange.inTx((tx) => checkActing(tx, { patient, guardian }))
  const childrenOf = async (guardian: AbhaAddress) =>
    (await exchange.inTx((tx) => dependantsOf(tx, exchange.needs, guardian))).map((one) => one.name)
  const texts = async () => (await exchange.waiting('text-message')) as { mobile: string; text: string }[]

  test('another guardian takes the place of the one before, whose token and list end at once; both are told', async () => {
    const { inTx } = exchange
    const asked = { patient: MEERA.abhaAddress, guardian: ASHA.abhaAddress, actor: OPERATOR }
    const { token } = must(await inTx((tx) => issuePatientToken(tx, exchange.needs, asked)))
    assert.equal(await name(UNCLE.abhaAddress), undefined)
    assert.equal(codeOf(await inTx((tx) => verifyPatientToken(tx, exchange.needs, token))), 'people/not-guardian')
    assert.deepEqual([await childrenOf(ASHA.abhaAddress), await childrenOf(UNCLE.abhaAddress)], [[], ['Meera Rao']])
    assert.deepEqual(
      [codeOf(await acting(UNCLE.abhaAddress)), codeOf(await acting(ASHA.abhaAddress))],
      ['ok', 'people/not-guardian'],
    )
    // The child's number is that of the mother: she hears of both.
    const told = (await texts()).map(
      ({ mobile, text }) => `${mobile} ${/आता निर्णय घेत नाहीत|decides|आतापासून/.exec(text)?.[0]}`,
    )
    const expected = [`${UNCLE.mobile} decides`, `${ASHA.mobile} आता निर्णय घेत नाहीत`, `${ASHA.mobile} आतापासून`]
    assert.deepEqual(new Set(told), new Set(expected))
    assert.equal(told.length, 3)
    await name(UNCLE.abhaAddress)
    assert.equal((await exchange.eventTypes()).filter((type) => type === 'people.guardian-named').length, 1)
  })

  test('what the operator looked at stands in the event, and not in plain', async () => {
    const { rows } = await sql<{ row: string }>`
      /* all buckets: a test looks at every event */ select e::text as row from audit_event e`.execute(
      exchange.machine.db,
    )
    assert.ok(rows.some(({ row }) => row.includes('people.guardian-named')))
    for (const secret of ['118/2026', 'mother died'])
      for (const form of [secret, Buffer.from(secret).toString('hex')])
        assert.ok(!rows.some(({ row }) => row.includes(form)), secret)
  })

  test('who is a child, unknown, or has a guardian of her own decides for nobody; a parent for no adult', async () => {
    assert.equal(codeOf(await name(MEERA.abhaAddress)), 'people/not-guardian')
    assert.equal(codeOf(await name('nobody@sbx' as AbhaAddress)), 'people/not-guardian')
    assert.equal(
      codeOf(await name(UNCLE.abhaAddress, { patient: 'nobody@sbx' as AbhaAddress })),
      'people/unknown-patient',
    )
    assert.equal(codeOf(await name(UNCLE.abhaAddress, { patient: RAVI.abhaAddress })), 'people/not-guardian')
    assert.equal(await name(UNCLE.abhaAddress, { patient: RAVI.abhaAddress, court: COURT }), undefined)
    assert.equal(codeOf(await acting(UNCLE.abhaAddress, RAVI.abhaAddress)), 'ok')
    assert.equal((await exchange.inTx((tx) => readPatient(tx, RAVI.abhaAddress)))?.guardianAppointment, COURT)
    assert.equal(codeOf(await name(RAVI.abhaAddress)), 'people/not-guardian')
  })

  test('who changes her language while an operator changes her number does not bring the old one back', async () => {
    const { inTx } = exchange
    const mobile = '8444444444'
    let read: Promise<unknown> = Promise.resolve()
    await inTx(async (tx) => {
      assert.equal(await changeMobile(tx, needs(), { patient: UNCLE.abhaAddress, mobile, actor: OPERATOR }), undefined)
      read = inTx((other) => changeLanguage(other, UNCLE.abhaAddress, 'hi'))
      await setTimeout(100)
    })
    await read
    const after = await inTx((tx) => readPatient(tx, UNCLE.abhaAddress))
    assert.deepEqual([after?.mobile, after?.language], [mobile, 'hi'])
    must(await inTx((tx) => changeLanguage(tx, UNCLE.abhaAddress, 'en')))
  })

  test('when it ends nobody decides for a child until another is named; an adult decides alone again', async () => {
    assert.equal(await end(MEERA.abhaAddress), undefined)
    assert.equal(codeOf(await end(MEERA.abhaAddress)), 'people/no-guardian')
    assert.equal(codeOf(await acting(UNCLE.abhaAddress)), 'people/not-guardian')
    const decides = (patient: AbhaAddress) => exchange.inTx((tx) => hasSomebodyWhoDecides(tx, patient))
    assert.equal(await decides(MEERA.abhaAddress), false)
    assert.match((await texts()).at(-1)?.text ?? '', /Mohan Rao does not decide for Meera Rao any more/)
    assert.equal(await end(RAVI.abhaAddress), undefined)
    const ravi = await exchange.inTx((tx) => readPatient(tx, RAVI.abhaAddress))
    assert.deepEqual(
      [ravi?.guardian, ravi?.guardianBasis, ravi?.guardianAppointment],
      [undefined, undefined, undefined],
    )
    assert.equal(await name(ASHA.abhaAddress), undefined)
    assert.equal(await decides(MEERA.abhaAddress), true)
  })
})
