import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { ASHA, type LinkingExchange, MEERA, OPERATOR, RAVI, startLinkingExchange } from '../../test/linking-exchange.ts'
import { record } from '../audit/record.ts'
import type { Actor } from '../kernel/caller.ts'
import type { AbhaAddress, AbhaNumber } from '../kernel/id.ts'
import { LIMITS } from '../kernel/limits.ts'
import { isRefusal, must } from '../kernel/refusal.ts'
import { eraseDataKey } from '../vault/data-keys.ts'
import { signToken } from '../vault/token.ts'
import { switchAccount } from './account-commands.ts'
import { stopAccount } from './closing-commands.ts'
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
import { changeMobile, checkSettledNumber } from './mobile-commands.ts'
import { findPasskeysOf, insertPasskey } from './passkey-store.ts'
import type { PatientEvent, Profile } from './patient.ts'
import { listSessions } from './session-commands.ts'
import { openPatientSession, startSignIn } from './sign-in-commands.ts'

let exchange: LinkingExchange
describe('people/people', () => {
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
      const { enrolledAt } = (await readPatient(tx, ASHA.abhaAddress)) ?? {}
      assert.ok(enrolledAt instanceof Date)
      assert.deepEqual(await readPatient(tx, ASHA.abhaAddress), { ...ASHA, status: 'active', enrolledAt })
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
    assert.equal(codeOf(await enrol(fresh({ birthDate: '2015-01-31' }))), 'people/needs-guardian')
    for (const birthDate of ['2999-01-01', '1850-01-01'])
      assert.equal(codeOf(await enrol(fresh({ birthDate }))), 'request/invalid-field', birthDate)
    assert.equal(await exchange.inTx((tx) => readPatient(tx, 'new.one@sbx' as AbhaAddress)), undefined)
    const both = await Promise.all([enrol(fresh({})), enrol(fresh({}))])
    assert.deepEqual(both.map(codeOf).sort(), ['ok', 'people/already-enrolled'])
  })

  test('a guardian acts for a child until the child has grown up, and for nobody else', async () => {
    const { token } = must(await session(MEERA.abhaAddress, ASHA.abhaAddress))
    assert.deepEqual(await verify(token), { kind: 'patient', patient: MEERA.abhaAddress, guardian: ASHA.abhaAddress })
    assert.equal(codeOf(await session(MEERA.abhaAddress, RAVI.abhaAddress)), 'people/not-guardian')
    assert.equal(codeOf(await session(RAVI.abhaAddress, ASHA.abhaAddress)), 'people/not-guardian')
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
    const owner = { kind: 'patient', person: RAVI.abhaAddress } as const
    await exchange.inTx(async (tx) => {
      const event = { type: 'people.passkey-added', actor: OPERATOR, patient: RAVI.abhaAddress } as const
      const key = { id: 'AAAA', name: 'Phone', publicKey: new Uint8Array(8), counter: 0, transports: [], rpId: 'x' }
      await insertPasskey(tx, await record<PatientEvent>(tx, event), { ...owner, ...key })
    })
    const passkeys = async () => (await exchange.inTx((tx) => findPasskeysOf(tx, owner))).length
    await sleep('deactivated')
    await sleep('deactivated')
    assert.equal(await passkeys(), 1)
    assert.equal((await exchange.eventTypes()).filter((type) => type === 'people.deactivated').length, 1)
    assert.equal(codeOf(await verify(token)), 'people/deactivated')
    await sleep('active')
    assert.equal(codeOf(await verify(token)), 'ok')
    assert.equal(await passkeys(), 0, 'the phone that has it may be why the account slept')
    exchange.clock.advance(12 * 3_600_000 + 1_000)
    assert.equal(codeOf(await verify(token)), 'auth/invalid-patient-token')
  })

  test('another number takes the place of a lost one: what the old phone could do ends', async () => {
    const { needs, inTx } = exchange
    const web = { party: 'sbx', origins: ['https://exchange.example'] }
    const input = { person: ASHA.abhaAddress, how: 'otp', userAgent: undefined } as const
    await inTx((tx) => openPatientSession(tx, web, input))
    must(await inTx((tx) => startSignIn(tx, needs, { abhaAddress: ASHA.abhaAddress, from: '192.0.2.7' })))
    const change = (mobile: string) =>
      inTx((tx) => changeMobile(tx, needs, { patient: ASHA.abhaAddress, mobile, actor: OPERATOR }))
    assert.equal(await change('8888888888'), undefined)
    assert.equal(await change('8888888888'), undefined)
    const told = (await exchange.waiting('text-message')) as { mobile: string; text: string }[]
    assert.deepEqual(
      told.map(({ mobile }) => mobile),
      [ASHA.mobile, '8888888888'],
    )
    for (const { text } of told) assert.match(text, /दुसरा मोबाइल नंबर नोंदवला गेला.*हे तुम्ही करवले नसेल/)
    const found = async (mobile: string) =>
      (await inTx((tx) => readPatientsByMobile(tx, needs, mobile))).map(({ abhaAddress }) => abhaAddress)
    assert.deepEqual(await found('8888888888'), [ASHA.abhaAddress])
    const left = await found(ASHA.mobile)
    assert.ok(!left.includes(ASHA.abhaAddress) && left.includes(RAVI.abhaAddress))
    assert.deepEqual(await inTx((tx) => listSessions(tx, 'patient', ASHA.abhaAddress)), [])
    const codes = await inTx((tx) => tx.db.selectFrom('sign_in_code').select('id').execute())
    assert.deepEqual(codes, [])
    assert.equal((await exchange.eventTypes()).filter((type) => type === 'people.mobile-changed').length, 1)
    const nobody = { patient: 'nobody@sbx' as AbhaAddress, mobile: '8888888888', actor: OPERATOR }
    assert.equal(codeOf(await inTx((tx) => changeMobile(tx, needs, nobody))), 'people/unknown-patient')
  })

  test('for a day after another number was written down an account is not closed by it, but on paper it is', async () => {
    const { needs, inTx, clock } = exchange
    const close = (actor: Actor) =>
      inTx((tx) => stopAccount(tx, needs, { patient: ASHA.abhaAddress, actor, wish: 'filed as 7/2026' }))
    const herself: Actor = { kind: 'patient', id: ASHA.abhaAddress }
    const before = clock.now()
    const mobile = '8777777777'
    await inTx((tx) => changeMobile(tx, needs, { patient: ASHA.abhaAddress, mobile, actor: OPERATOR }))
    assert.equal(codeOf(await close(herself)), 'people/number-too-new')
    const forMeera: Actor = { kind: 'patient', id: MEERA.abhaAddress, guardian: ASHA.abhaAddress }
    assert.equal(codeOf(await inTx((tx) => checkSettledNumber(tx, forMeera))), 'people/number-too-new')
    // What stands in the way now is that she decides for Meera, and no longer her number.
    assert.equal(codeOf(await close(OPERATOR)), 'people/decides-for-others')
    clock.advance(LIMITS.mobileSettlesMs - 1)
    assert.equal(codeOf(await close(herself)), 'people/number-too-new')
    clock.advance(1)
    assert.equal(codeOf(await close(herself)), 'people/decides-for-others')
    clock.set(before)
  })

  test('an account that an operator puts to sleep lets nobody in, tells the phone why to come, and is closed without being woken', async () => {
    const { needs, inTx } = exchange
    const person = 'sleepy.one@sbx' as AbhaAddress
    const profile = { ...RAVI, abhaAddress: person, abhaNumber: '91000000000066' as AbhaNumber, mobile: '7666666666' }
    must(await enrol({ ...profile, language: 'en' }))
    const web = { party: 'sbx', origins: ['https://exchange.example'] }
    await inTx((tx) => openPatientSession(tx, web, { person, how: 'otp', userAgent: undefined }))
    const put = (status: 'active' | 'deactivated', patient = person) =>
      inTx((tx) => switchAccount(tx, needs, { patient, status, reason: 'Her phone was stolen', actor: OPERATOR }))
    assert.equal(await put('deactivated'), undefined)
    assert.equal(await put('deactivated'), undefined)
    assert.equal(codeOf(await session(person)), 'people/deactivated')
    assert.equal(await put('active'), undefined)
    assert.deepEqual(
      await inTx((tx) => listSessions(tx, 'patient', person)),
      [],
      'a stolen phone is not signed in again',
    )
    assert.equal(codeOf(await session(person)), 'ok')
    assert.equal(await put('deactivated'), undefined)
    const told = (await exchange.waiting('text-message')) as { mobile: string; text: string }[]
    assert.deepEqual(
      told
        .filter(({ mobile }) => mobile === profile.mobile)
        .map(({ text }) => /was deactivated|works again/.exec(text)?.[0]),
      ['was deactivated', 'works again', 'was deactivated'],
    )
    assert.equal(codeOf(await put('active', 'nobody@sbx' as AbhaAddress)), 'people/unknown-patient')
    const closed = await inTx((tx) =>
      stopAccount(tx, needs, { patient: person, actor: OPERATOR, wish: 'filed as 8/2026' }),
    )
    assert.equal(codeOf(closed), 'ok')
    assert.equal(codeOf(await put('active')), 'people/unknown-patient', 'what is closed is opened again by its own act')
  })

  test('who is erased is unknown', async () => {
    await exchange.inTx((tx) => eraseDataKey(tx, RAVI.abhaAddress, 'patient'))
    assert.equal(await exchange.inTx((tx) => readPatient(tx, RAVI.abhaAddress)), undefined)
    assert.equal(codeOf(await session(RAVI.abhaAddress)), 'people/unknown-patient')
  })
})
