import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, it } from 'node:test'
import { addTestPatient, type Bench, HIP, newId, openBench, PATIENT, REFERENCE } from '../../test/hip-bench.ts'
import { transact } from '../db/tx.ts'
import { hipChores } from '../hip/jobs.ts'
import { must } from '../kernel/refusal.ts'
import { addPatient, readPatient } from '../records/commands.ts'
import { HIP_FAILURES } from './hip-reactions.ts'
import { onConfirm, onDiscover, onInit } from './linking-messages.ts'
import { onShare } from './share-messages.ts'

const ON_DISCOVER = '/user-initiated-linking/v3/patient/care-context/on-discover'
const ON_INIT = '/user-initiated-linking/v3/link/care-context/on-init'
const ON_CONFIRM = '/user-initiated-linking/v3/link/care-context/on-confirm'
const actor = { kind: 'operator', id: 'desk' } as const

describe('a patient finds and links care contexts', () => {
  let bench: Bench
  before(async () => {
    bench = await openBench()
    await addTestPatient(bench, { linked: false })
    await bench.drain()
  })
  beforeEach(() => {
    bench.sent.length = 0
    bench.texts.length = 0
  })
  after(() => bench.close())

  const wanted = {
    id: PATIENT,
    name: 'Mina Test',
    gender: 'F',
    yearOfBirth: 1983,
    verifiedIdentifiers: [{ type: 'MOBILE', value: '+91-9000000099' }],
    unverifiedIdentifiers: [],
  }
  const discover = async (changes: object = {}) => {
    const transactionId = newId(bench) as string
    const { requestId } = await bench.callback('/api/v3/hip/patient/care-context/discover', {
      transactionId,
      patient: { ...wanted, ...changes },
    })
    await bench.drain()
    const answer = onDiscover.parse(bench.last(ON_DISCOVER)?.body)
    assert.equal(answer.response.requestId, requestId)
    return { transactionId, answer }
  }
  const init = async (transactionId: string, references: readonly string[], abhaAddress: string = PATIENT) => {
    const patient = [
      {
        referenceNumber: REFERENCE,
        display: 'x',
        careContexts: references.map((referenceNumber) => ({ referenceNumber, display: 'x' })),
        hiType: 'Prescription',
        count: references.length,
      },
    ]
    await bench.callback('/api/v3/hip/link/care-context/init', { transactionId, abhaAddress, patient })
    await bench.drain()
    return onInit.parse(bench.last(ON_INIT)?.body)
  }
  const confirm = async (linkRefNumber: string, token: string) => {
    await bench.callback('/api/v3/hip/link/care-context/confirm', { confirmation: { linkRefNumber, token } })
    await bench.drain()
    return onConfirm.parse(bench.last(ON_CONFIRM)?.body)
  }
  const otpOf = () => /^\d{6}/.exec(bench.texts.at(-1)?.text ?? '')?.[0] ?? ''

  it('gives a hundred wrong one-time passwords at once three tries, and the right one none after them', async () => {
    const { transactionId, answer } = await discover()
    const offered = answer.patient?.[0]?.careContexts[0]?.referenceNumber ?? ''
    const linkRef = (await init(transactionId, [offered])).link?.referenceNumber ?? ''
    const right = otpOf()
    const wrong = Array.from({ length: 100 }, (_, n) => String(n).padStart(6, '0')).filter((otp) => otp !== right)
    bench.sent.length = 0
    await Promise.all(
      wrong.map((token) =>
        bench.callback('/api/v3/hip/link/care-context/confirm', { confirmation: { linkRefNumber: linkRef, token } }),
      ),
    )
    await bench.drain()
    const { wrong_tries, status } = await bench.machine.db
      .selectFrom('hip_link_otp')
      .selectAll()
      .where('bucket', '>=', 0)
      .where('link_ref', '=', linkRef)
      .executeTakeFirstOrThrow()
    assert.deepEqual([wrong_tries, status], [3, 'spent'])
    const codes = bench.sent.map(({ body }) => onConfirm.parse(body).error?.code)
    assert.equal(codes.length, wrong.length)
    assert.equal(codes.filter((code) => code === 'ABDM-1035').length, 2)
    assert.equal((await confirm(linkRef, right)).error?.code, 'ABDM-1100')
    bench.clock.advance(61_000)
  })

  it('is found by mobile, gender, age and a similar name; links by a one-time password; is known by ABHA address from then on', async () => {
    const { transactionId, answer } = await discover()
    assert.deepEqual(answer.matchedBy, ['MOBILE'])
    assert.deepEqual(
      answer.patient?.flatMap(({ careContexts, count }) => [careContexts.length, count]),
      [1, 1, 1, 1],
    )
    assert.deepEqual(
      answer.patient?.flatMap(({ careContexts }) => careContexts.map((one) => one.referenceNumber)).sort(),
      ['cc-1', 'cc-2'],
    )
    const started = await init(transactionId, ['cc-1'])
    assert.equal(started.link?.authenticationType, 'MEDIATED')
    assert.equal(started.link?.meta.communicationHint, '******0099')
    assert.equal(bench.texts.at(-1)?.mobile, '9000000099')
    const stored = await bench.machine.db.selectFrom('hip_link_otp').selectAll().where('bucket', '>=', 0).execute()
    assert.doesNotMatch(
      JSON.stringify(stored.map((row) => ({ ...row, otp_hash: row.otp_hash.toString('latin1') }))),
      new RegExp(otpOf()),
    )
    const linkRef = started.link?.referenceNumber ?? ''
    const wrong = otpOf() === '111111' ? '222222' : '111111'
    assert.equal((await confirm(linkRef, wrong)).error?.code, 'ABDM-1035')
    const confirmed = await confirm(linkRef, otpOf())
    assert.deepEqual(
      confirmed.patient?.map((group) => group.careContexts.map((one) => one.referenceNumber)),
      [['cc-1']],
    )
    assert.equal((await confirm(linkRef, otpOf())).error?.code, 'ABDM-1100', 'it is good once')
    const patient = await transact(bench.machine, (tx) => readPatient(tx, REFERENCE))
    assert.equal('abhaAddress' in patient && patient.abhaAddress, PATIENT)
    const again = await discover({ name: 'Wholly Other', gender: 'M', yearOfBirth: 1950, verifiedIdentifiers: [] })
    assert.deepEqual(again.answer.matchedBy, ['ABHA_ADDRESS'])
    assert.deepEqual(
      again.answer.patient?.flatMap(({ careContexts }) => careContexts.map((one) => one.referenceNumber)),
      ['cc-2'],
      'what is linked is not offered',
    )
    await bench.failSend(HIP_FAILURES.confirm, linkRef, { message: 'the exchange is gone' })
    const undone = await discover()
    assert.equal(undone.answer.patient?.length, 2, 'what the exchange never took can be found again')
  })

  it('spends a password after three wrong tries and after ten minutes; limits how many are asked for', async () => {
    const { transactionId } = await discover()
    bench.clock.advance(120_000)
    const first = await init(transactionId, ['cc-2'])
    const good = otpOf()
    for (const code of ['ABDM-1035', 'ABDM-1035', 'ABDM-1100'])
      assert.equal((await confirm(first.link?.referenceNumber ?? '', '000000x')).error?.code, code)
    assert.equal((await confirm(first.link?.referenceNumber ?? '', good)).error?.code, 'ABDM-1100')
    const second = await init(transactionId, ['cc-2'])
    assert.equal((await init(transactionId, ['cc-2'])).error?.code, 'ABDM-1100', 'two a minute')
    bench.clock.advance(10 * 60_000)
    assert.equal((await confirm(second.link?.referenceNumber ?? '', otpOf())).error?.code, 'ABDM-1035')
    assert.equal((await confirm(newId(bench), '123456')).error?.code, 'ABDM-1056')
  })

  it('sends six passwords an hour at most, so that a guesser who starts anew gets nowhere', async () => {
    bench.clock.advance(3_600_000)
    const { transactionId, answer } = await discover()
    const offered = answer.patient?.[0]?.careContexts[0]?.referenceNumber ?? ''
    for (let n = 0; n < 6; n++) {
      assert.ok((await init(transactionId, [offered])).link)
      bench.clock.advance(61_000)
    }
    const before = bench.texts.length
    assert.ok((await init(transactionId, [offered])).error)
    assert.equal(bench.texts.length, before)
    bench.clock.advance(3_600_000)
  })

  it('refuses what was not offered, or was offered to somebody else', async () => {
    const { transactionId } = await discover()
    assert.equal((await init(transactionId, ['cc-9'])).error?.code, 'ABDM-1057')
    assert.equal((await init(transactionId, ['cc-2'], 'other@sbx')).error?.code, 'ABDM-1017')
    assert.equal((await init(newId(bench), ['cc-2'])).error?.code, 'ABDM-1017')
    bench.clock.advance(2 * 3_600_000)
    assert.equal((await init(transactionId, ['cc-2'])).error?.code, 'ABDM-1017', 'an old offer')
    assert.equal(bench.texts.length, 0)
    for (const chore of hipChores(bench.machine, bench.needs)) await chore.run()
    const left = await bench.machine.db.selectFrom('hip_discovery').select('at').where('bucket', '>=', 0).execute()
    assert.ok(left.every(({ at }) => bench.clock.now().getTime() - at.getTime() <= 2 * 3_600_000))
  })

  it('finds nobody when nobody or more than one fits, and does not show what it knows', async () => {
    await transact(bench.machine, async (tx) => {
      for (const reference of ['F-1', 'F-2']) {
        must(
          await addPatient(tx, bench.needs, actor, {
            reference,
            name: 'Ravi Kumar',
            gender: 'male',
            birthDate: '1990-01-01',
            mobile: '9000000077',
          }),
        )
      }
    })
    const family = {
      id: 'ravi@sbx',
      name: 'Ravi Kumar',
      gender: 'M',
      yearOfBirth: 1990,
      verifiedIdentifiers: [{ type: 'MOBILE', value: '9000000077' }],
    }
    const twins = await discover(family)
    assert.equal(twins.answer.error?.code, 'ABDM-1010')
    const stranger = await discover({ ...family, verifiedIdentifiers: [{ type: 'MOBILE', value: '9111111111' }] })
    assert.deepEqual(stranger.answer.error, twins.answer.error)
    const byNumber = await discover({
      ...family,
      unverifiedIdentifiers: [{ type: 'MR', value: 'F-2' }],
      verifiedIdentifiers: [],
    })
    assert.equal(byNumber.answer.error?.code, 'ABDM-1120', 'found by record number; there is nothing to link')
    const bad = await bench.callback('/api/v3/hip/patient/care-context/discover', {
      transactionId: 'not-a-uuid',
      patient: wanted,
    })
    assert.equal(bad.status, 400)
  })

  it('gives one who shares a profile a place in the queue, the same within 30 minutes', async () => {
    const share = async (abhaAddress: string, hipId: string = HIP) => {
      await bench.callback('/api/v3/hip/patient/share', {
        intent: 'PROFILE_SHARE',
        metaData: { hipId, context: 'counter-1', hprId: '', latitude: '18.5', longitude: '73.8' },
        profile: {
          patient: {
            abhaNumber: '91000000009999',
            abhaAddress,
            name: 'Meena Test',
            gender: 'F',
            dayOfBirth: '29',
            monthOfBirth: '2',
            yearOfBirth: '1980',
            address: { line: 'x', district: 'Pune', state: 'MH', pincode: '411001' },
            phoneNumber: '9000000099',
          },
        },
      })
      await bench.drain()
      return onShare.parse(bench.last('/patient-share/v3/on-share')?.body)
    }
    assert.deepEqual((await share(PATIENT)).acknowledgement?.profile, {
      context: 'counter-1',
      tokenNumber: '1',
      expiry: 1800,
    })
    assert.equal((await share('ravi@sbx')).acknowledgement?.profile?.tokenNumber, '2')
    bench.clock.advance(600_000)
    assert.deepEqual((await share(PATIENT)).acknowledgement?.profile, {
      context: 'counter-1',
      tokenNumber: '1',
      expiry: 1200,
    })
    bench.clock.advance(1_200_000)
    assert.equal((await share(PATIENT)).acknowledgement?.profile?.tokenNumber, '3')
    assert.equal((await share(PATIENT, 'IN2710000099')).error?.code, 'ABDM-1035')
    const row = await bench.machine.db
      .selectFrom('hip_share')
      .select('profile')
      .where('bucket', '>=', 0)
      .executeTakeFirstOrThrow()
    assert.equal(row.profile.includes('Meena'), false)
  })
})
