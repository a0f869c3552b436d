import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { ASHA, type LinkingExchange, MEERA, OPERATOR, RAVI, startLinkingExchange } from '../../test/linking-exchange.ts'
import type { AbhaAddress, AbhaNumber } from '../kernel/id.ts'
import { isRefusal, must } from '../kernel/refusal.ts'
import { eraseDataKey } from '../vault/data-keys.ts'
import { signToken } from '../vault/token.ts'
import {
  enrolPatient,
  issuePatientToken,
  listPatients,
  readPatient,
  readPatientByAbhaNumber,
  readPatientsByMobile,
  setPatientStatus,
  verifyPatientToken,
} from './commands.ts'
import { isChild, type Profile } from './patient.ts'

let exchange: LinkingExchange
before(async () => {
  exchange = await startLinkingExchange()
})
after(() => exchange.close())

const enrol = (profile: Profile) =>
  exchange.inTx((tx) => enrolPatient(tx, exchange.needs, { profile, actor: OPERATOR }))
const session = (patient: AbhaAddress, guardian?: AbhaAddress) =>
  exchange.inTx((tx) =>
    issuePatientToken(tx, exchange.needs, {
      patient,
      ...(guardian === undefined ? {} : { guardian }),
      actor: OPERATOR,
    }),
  )
const verify = (token: string) => exchange.inTx((tx) => verifyPatientToken(tx, exchange.needs, token))
const codeOf = (value: unknown) => (isRefusal(value) ? value.code : 'ok')

test('a patient is found by address, by number and by mobile, and by nothing that is stored in plain', async () => {
  await exchange.inTx(async (tx) => {
    assert.deepEqual(await readPatient(tx, ASHA.abhaAddress), { ...ASHA, status: 'active' })
    assert.equal((await readPatientByAbhaNumber(tx, exchange.needs, RAVI.abhaNumber))?.abhaAddress, RAVI.abhaAddress)
    assert.equal(await readPatientByAbhaNumber(tx, { indexKey: new Uint8Array(32) }, RAVI.abhaNumber), undefined)
    const family = await readPatientsByMobile(tx, exchange.needs, ASHA.mobile)
    assert.deepEqual(family.map(({ name }) => name).sort(), ['Asha Rao', 'Meera Rao', 'Ravi Kumar'])
    assert.equal((await listPatients(tx, 2)).length, 2)
    assert.equal(await readPatient(tx, 'nobody@sbx' as AbhaAddress), undefined)
  })
})

test('nobody is enrolled twice, and a child’s guardian is an adult with an account', async () => {
  const fresh = (change: Partial<Profile>): Profile => ({
    ...ASHA,
    abhaAddress: 'new.one@sbx' as AbhaAddress,
    abhaNumber: '91000000000009' as AbhaNumber,
    ...change,
  })
  assert.equal(codeOf(await enrol(fresh({ abhaAddress: ASHA.abhaAddress }))), 'people/already-enrolled')
  assert.equal(codeOf(await enrol(fresh({ abhaNumber: RAVI.abhaNumber }))), 'people/already-enrolled')
  assert.equal(codeOf(await enrol(fresh({ guardian: 'nobody@sbx' as AbhaAddress }))), 'people/not-guardian')
  assert.equal(codeOf(await enrol(fresh({ guardian: MEERA.abhaAddress }))), 'people/not-guardian')
  assert.equal(codeOf(await enrol(fresh({ guardian: 'new.one@sbx' as AbhaAddress }))), 'people/not-guardian')
  assert.equal(await exchange.inTx((tx) => readPatient(tx, 'new.one@sbx' as AbhaAddress)), undefined)
  const both = await Promise.all([enrol(fresh({})), enrol(fresh({}))])
  assert.deepEqual(both.map(codeOf).sort(), ['ok', 'people/already-enrolled'])
})

test('a guardian acts for a child until the child has grown up, and for nobody else', async () => {
  const { token } = must(await session(MEERA.abhaAddress, ASHA.abhaAddress))
  assert.deepEqual(await verify(token), { kind: 'patient', patient: MEERA.abhaAddress, guardian: ASHA.abhaAddress })
  assert.equal(codeOf(await session(MEERA.abhaAddress, RAVI.abhaAddress)), 'people/not-guardian')
  assert.equal(codeOf(await session(RAVI.abhaAddress, ASHA.abhaAddress)), 'people/not-guardian')
  assert.ok(isChild('2015-01-31', new Date('2033-01-30T23:59:59.000Z')))
  assert.ok(!isChild('2015-01-31', new Date('2033-01-31T00:00:00.000Z')))
})

test('a token is worth nothing once expired, for another audience, or when the account sleeps', async () => {
  const { token } = must(await session(RAVI.abhaAddress))
  assert.equal(codeOf(await verify(token)), 'ok')
  const other = await signToken(exchange.needs.signingKey, {
    issuer: 'sbx',
    audience: 'amanat:link',
    now: exchange.clock.now(),
    lifeMs: 60_000,
    claims: { sub: RAVI.abhaAddress },
  })
  const elsewhere = await signToken(exchange.needs.signingKey, {
    issuer: 'other',
    audience: 'amanat:patient',
    now: exchange.clock.now(),
    lifeMs: 60_000,
    claims: { sub: RAVI.abhaAddress },
  })
  const stranger = await signToken(exchange.needs.signingKey, {
    issuer: 'sbx',
    audience: 'amanat:patient',
    now: exchange.clock.now(),
    lifeMs: 60_000,
    claims: { sub: 'nobody@sbx' },
  })
  for (const bad of [other, elsewhere, stranger, 'x', ''])
    assert.equal(codeOf(await verify(bad)), 'auth/invalid-patient-token')
  const sleep = (status: 'active' | 'deactivated') =>
    exchange.inTx((tx) => setPatientStatus(tx, { patient: RAVI.abhaAddress, status, actor: OPERATOR }))
  await sleep('deactivated')
  await sleep('deactivated')
  assert.equal((await exchange.eventTypes()).filter((type) => type === 'people.deactivated').length, 1)
  assert.equal(codeOf(await verify(token)), 'people/deactivated')
  await sleep('active')
  assert.equal(codeOf(await verify(token)), 'ok')
  exchange.clock.advance(12 * 3_600_000 + 1_000)
  assert.equal(codeOf(await verify(token)), 'auth/invalid-patient-token')
})

test('who is erased is unknown', async () => {
  await exchange.inTx((tx) => eraseDataKey(tx, RAVI.abhaAddress, 'patient'))
  assert.equal(await exchange.inTx((tx) => readPatient(tx, RAVI.abhaAddress)), undefined)
  assert.equal(codeOf(await session(RAVI.abhaAddress)), 'people/unknown-patient')
})
