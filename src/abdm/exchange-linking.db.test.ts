import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { decodeJwt, SignJWT } from 'jose'
import {
  ASHA,
  HOSPITAL,
  type LinkingExchange,
  MEERA,
  OPERATOR,
  OTHER_HOSPITAL,
  RAVI,
  startLinkingExchange,
} from '../../test/linking-exchange.ts'
import { generateSigningKey, importSigningKey } from '../crypto/signature.ts'
import { attemptsChore } from '../linking/jobs.ts'
import { careContextsOf, isLinked, TEXT_MESSAGE_JOB } from '../linking/link-commands.ts'
import { setPatientStatus } from '../people/commands.ts'
import { onGenerateToken } from './linking-messages.ts'
import type { Outgoing } from './send.ts'

let exchange: LinkingExchange
describe('abdm/exchange-linking', () => {
  before(async () => {
    exchange = await startLinkingExchange()
  })
  after(() => exchange.close())

  const DAY_MS = 86_400_000
  const known = {
    abhaNumber: ASHA.abhaNumber,
    abhaAddress: ASHA.abhaAddress,
    name: 'Asha Rao',
    gender: 'F',
    yearOfBirth: 1990,
  }

  async function only(): Promise<Outgoing> {
    const sent = await exchange.takeSent()
    assert.equal(sent.length, 1, sent.map(({ path }) => path).join(', '))
    return sent[0] as Outgoing
  }
  const bodyOf = (message: Outgoing) => message.body as Record<string, unknown>
  const codeIn = (message: Outgoing) => (bodyOf(message)['error'] as { code: string } | undefined)?.code

  const askToken = (body: object = known, bridge: 'bridge-hospital' | 'bridge-other' = 'bridge-hospital') =>
    exchange.asBridge(bridge, '/v3/token/generate-token', body)

  /** A fresh token, on a day of its own: three a day are the limit. */
  async function token(
    bridge: 'bridge-hospital' | 'bridge-other' = 'bridge-hospital',
    body: object = known,
  ): Promise<string> {
    exchange.clock.advance(DAY_MS + 1)
    await askToken(body, bridge)
    return onGenerateToken.parse((await only()).body).linkToken ?? ''
  }

  const group = (references: readonly string[], change: object = {}) => ({
    referenceNumber: 'MRN-1',
    display: 'Asha Rao',
    careContexts: references.map((referenceNumber) => ({ referenceNumber, display: `Visit ${referenceNumber}` })),
    hiType: 'OPConsultation',
    count: references.length,
    ...change,
  })
  const link = (
    linkToken: string | undefined,
    groups: readonly object[],
    change: object = {},
    bridge: 'bridge-hospital' | 'bridge-other' = 'bridge-hospital',
    headers: Record<string, string> = {},
  ) =>
    exchange.asBridge(
      bridge,
      '/hip/v3/link/carecontext',
      { abhaNumber: ASHA.abhaNumber, abhaAddress: ASHA.abhaAddress, patient: groups, ...change },
      { headers: { ...(linkToken === undefined ? {} : { 'x-link-token': linkToken }), ...headers } },
    )

  test('a facility that knows the patient gets a link token and links several groups with it', async () => {
    const reply = await askToken({
      abhaNumber: 91000000000001,
      name: 'RAO Asha',
      gender: 'F',
      yearOfBirth: '1990',
      surprise: 1,
    })
    assert.equal(reply.status, 202)
    assert.deepEqual(reply.body, {})
    const message = await only()
    assert.equal(message.path, '/api/v3/hip/token/on-generate-token')
    assert.deepEqual(message.headers, { 'X-HIP-ID': HOSPITAL })
    const { linkToken = '', abhaAddress, response } = onGenerateToken.parse(message.body)
    assert.equal(abhaAddress, ASHA.abhaAddress)
    assert.equal(response.requestId, reply.requestId)
    assert.ok((linkToken ?? '').length < 1000)
    const claims = decodeJwt(linkToken ?? '')
    assert.deepEqual([claims['abhaNumber'], claims['hipId']], [ASHA.abhaNumber, HOSPITAL])

    const linked = await link(linkToken ?? '', [
      group(['visit-1', 'visit-2']),
      group(['visit-1'], { hiType: 'PRESCRIPTION' }),
    ])
    assert.equal(linked.status, 202)
    const answer = await only()
    assert.equal(answer.path, '/api/v3/link/on_carecontext')
    assert.deepEqual(answer.body, {
      abhaAddress: ASHA.abhaAddress,
      status: 'Successfully Linked care context',
      response: { requestId: linked.requestId },
    })
    const contexts = await exchange.inTx((tx) => careContextsOf(tx, ASHA.abhaAddress, HOSPITAL))
    assert.deepEqual(
      contexts.map(({ careContextReference, hiType, display }) => [careContextReference, hiType, display]),
      [
        ['visit-1', 'OPConsultation', 'Visit visit-1'],
        ['visit-1', 'Prescription', 'Visit visit-1'],
        ['visit-2', 'OPConsultation', 'Visit visit-2'],
      ],
    )
    const refs = (...names: string[]) =>
      names.map((careContextReference) => ({ patientReference: 'MRN-1', careContextReference }))
    assert.ok(await exchange.inTx((tx) => isLinked(tx, ASHA.abhaAddress, HOSPITAL, refs('visit-1', 'visit-2'))))
    assert.ok(!(await exchange.inTx((tx) => isLinked(tx, ASHA.abhaAddress, HOSPITAL, refs('visit-1', 'visit-9')))))
    assert.ok(!(await exchange.inTx((tx) => isLinked(tx, RAVI.abhaAddress, HOSPITAL, refs('visit-1')))))

    const links = await exchange.asPatient(ASHA.abhaAddress, 'GET', '/hip/v3/link/patient/links?limit=10')
    const patient = links.body['patient'] as {
      id: string
      links: { hip: { id: string }; careContexts: object[]; hiType: string }[]
    }
    assert.deepEqual(
      patient.links.map((each) => [each.hip.id, each.hiType, each.careContexts.length]),
      [
        [HOSPITAL, 'OPConsultation', 2],
        [HOSPITAL, 'Prescription', 1],
      ],
    )
    const nothing = await exchange.asPatient(RAVI.abhaAddress, 'GET', '/hip/v3/link/patient/links')
    assert.deepEqual((nothing.body['patient'] as { links: object[] }).links, [])
  })

  test('details that do not fit give no token, and nobody learns whether the patient exists', async () => {
    exchange.clock.advance(DAY_MS + 1)
    const refusals: [object, string][] = [
      [{ ...known, name: 'Usha Nair' }, 'ABDM-1207'],
      [{ ...known, abhaNumber: RAVI.abhaNumber }, 'ABDM-1036'],
      [{ abhaAddress: 'nobody.at.all@sbx', name: 'A B', gender: 'F', yearOfBirth: 1990 }, 'ABDM-1207'],
      [{ ...known, abhaAddress: 'nobody.at.all@sbx' }, 'ABDM-1036'],
    ]
    for (const [body, code] of refusals) {
      assert.equal((await askToken(body)).status, 202)
      const message = await only()
      assert.equal(codeIn(message), code)
      assert.equal(bodyOf(message)['linkToken'], undefined)
    }
  })

  test('three tries a day for one patient and HIP, right or wrong, known or not; then the door is shut for that HIP only', async () => {
    for (const body of [known, { abhaAddress: 'nobody.else@sbx', name: 'A B', gender: 'F', yearOfBirth: 1990 }]) {
      exchange.clock.advance(DAY_MS + 1)
      for (let i = 0; i < 3; i++) await askToken(body)
      assert.ok((await exchange.takeSent()).every((message) => codeIn(message) !== 'ABDM-1027'))
      await askToken(body)
      assert.equal(codeIn(await only()), 'ABDM-1027')
    }
    await askToken(known, 'bridge-other')
    assert.notEqual(codeIn(await only()), 'ABDM-1027')
  })

  test('tries at the same time are counted one by one', async () => {
    exchange.clock.advance(DAY_MS + 1)
    await Promise.all(Array.from({ length: 6 }, () => askToken()))
    const codes = (await exchange.takeSent()).map((message) => codeIn(message) ?? 'token')
    assert.deepEqual(codes.toSorted(), ['ABDM-1027', 'ABDM-1027', 'ABDM-1027', 'token', 'token', 'token'])
    exchange.clock.advance(DAY_MS + 1)
    await attemptsChore(exchange.machine).run()
    assert.deepEqual(
      await exchange.machine.db.selectFrom('linking_attempt').selectAll().where('bucket', '>=', 0).execute(),
      [],
    )
  })

  test('a link token that is missing, forged, expired or of another kind is refused at once', async () => {
    const good = await token()
    const stranger = importSigningKey(await generateSigningKey())
    const forged = await new SignJWT(decodeJwt(good)).setProtectedHeader({ alg: 'RS256' }).sign(stranger.privateKey)
    const session = String(
      (
        await exchange.call('POST', '/gateway/v3/sessions', {
          clientId: 'bridge-hospital',
          clientSecret: exchange.secrets['bridge-hospital'],
        })
      ).body['accessToken'],
    )
    for (const bad of [undefined, forged, 'rubbish', session]) {
      const reply = await link(bad, [group(['visit-5'])])
      assert.equal(reply.status, 401)
      assert.equal((reply.body['error'] as { code: string }).code, 'ABDM-1026')
    }
    exchange.clock.advance(184 * DAY_MS)
    assert.equal((await link(good, [group(['visit-5'])])).status, 401)
    assert.deepEqual(await exchange.takeSent(), [])
  })

  test('a token of another HIP, address or number links nothing', async () => {
    const mine = await token()
    const theirs = await token('bridge-other')
    const cases: [() => Promise<unknown>, string][] = [
      [() => link(theirs, [group(['visit-6'])]), 'ABDM-1063'],
      [() => link(mine, [group(['visit-6'])], {}, 'bridge-other'), 'ABDM-1063'],
      [() => link(mine, [group(['visit-6'])], { abhaAddress: RAVI.abhaAddress, abhaNumber: undefined }), 'ABDM-1038'],
      [() => link(mine, [group(['visit-6'])], { abhaNumber: RAVI.abhaNumber }), 'ABDM-1062'],
    ]
    for (const [attempt, code] of cases) {
      await attempt()
      const message = await only()
      assert.equal(codeIn(message), code)
      assert.equal(bodyOf(message)['status'], 'Failed to link care context')
    }
    assert.ok(
      !(await exchange.inTx((tx) => careContextsOf(tx, ASHA.abhaAddress))).some(
        (each) => each.careContextReference === 'visit-6',
      ),
    )
  })

  test('faulty groups are refused whole, each with its own code', async () => {
    const mine = await token()
    const cases: [readonly object[], string][] = [
      [[group(['visit-7']), group(['visit-8'], { count: 2 })], 'ABDM-1037'],
      [
        [
          group(
            Array.from({ length: 21 }, (_, i) => `v-${i}`),
            { count: 20 },
          ),
        ],
        'ABDM-1059',
      ],
      [[group(['visit;7'])], 'ABDM-1057'],
      [[group(['visit-7', 'visit-7'])], 'ABDM-1057'],
      [[group([], { count: 1 })], 'ABDM-1057'],
      [[group(['visit-7'], { referenceNumber: ' ' })], 'ABDM-1060'],
      [[group(['visit-7'], { display: '' })], 'ABDM-1061'],
      [[group(['visit-1', 'visit-2'])], 'ABDM-1056'],
    ]
    for (const [groups, code] of cases) {
      assert.equal((await link(mine, groups)).status, 202, code)
      assert.equal(codeIn(await only()), code)
    }
    const refs = await exchange.inTx((tx) => careContextsOf(tx, ASHA.abhaAddress))
    assert.ok(!refs.some((each) => each.careContextReference === 'visit-7'))
    for (const bad of [{ count: 0 }, { count: 21 }, { hiType: ['OPConsultation'] }, { hiType: 'Selfie' }]) {
      const reply = await link(mine, [group(['visit-7'], bad)])
      assert.equal(reply.status, 400)
      assert.equal((reply.body['error'] as { code: string }).code, 'ABDM-1006')
    }
    // What is linked already does not stand in the way of what is new.
    await link(mine, [group(['visit-1', 'visit-3'])])
    assert.equal(bodyOf(await only())['status'], 'Successfully Linked care context')
  })

  test('the same message twice has its effect once; the same id with another body is refused', async () => {
    const mine = await token()
    const headers = { 'request-id': '6f1c2f0e-0000-4000-8000-00000000aaaa' }
    const first = await link(mine, [group(['visit-10'])], {}, 'bridge-hospital', headers)
    const second = await link(mine, [group(['visit-10'])], {}, 'bridge-hospital', headers)
    assert.deepEqual([first.status, second.status], [202, 202])
    assert.equal(bodyOf(await only())['status'], 'Successfully Linked care context')
    const third = await link(mine, [group(['visit-11'])], {}, 'bridge-hospital', headers)
    assert.equal(third.status, 409)
    assert.deepEqual(await exchange.takeSent(), [])
  })

  test('only the facility itself: its id must be one of the caller’s own, and stand in the header', async () => {
    const other = await exchange.asBridge('bridge-hospital', '/v3/token/generate-token', known, {
      headers: { 'x-hip-id': OTHER_HOSPITAL },
    })
    assert.equal(other.status, 403)
    const absent = await exchange.asBridge('bridge-hospital', '/v3/token/generate-token', known, {
      headers: { 'x-hip-id': '' },
    })
    assert.equal(absent.status, 400)
    const anonymous = await exchange.call('POST', '/v3/token/generate-token', known, { 'x-hip-id': HOSPITAL })
    assert.equal(anonymous.status, 401)
    // An app is no provider of records.
    await exchange.asBridge('bridge-app', '/v3/token/generate-token', known)
    assert.equal(codeIn(await only()), 'ABDM-1035')
  })

  const notify = (change: object = {}, bridge: 'bridge-hospital' | 'bridge-other' = 'bridge-hospital') =>
    exchange.asBridge(bridge, '/hip/v3/link/context/notify', {
      notification: {
        patient: { id: ASHA.abhaAddress },
        careContext: { patientReference: 'MRN-1', careContextReference: 'visit-1' },
        hiTypes: ['OPConsultation', 'DiagnosticReport'],
        date: exchange.clock.now().toISOString(),
        hip: { id: HOSPITAL },
        ...change,
      },
    })

  test('new data in a linked context is taken, with HI types that are new in it; in an unknown one it is an error', async () => {
    const reply = await notify()
    assert.equal(reply.status, 202)
    const message = await only()
    assert.equal(message.path, '/api/v3/links/context/on-notify')
    assert.deepEqual(message.body, { acknowledgement: { status: 'SUCCESS' }, response: { requestId: reply.requestId } })
    const types = (await exchange.inTx((tx) => careContextsOf(tx, ASHA.abhaAddress, HOSPITAL))).filter(
      (each) => each.careContextReference === 'visit-1',
    )
    assert.deepEqual(types.map(({ hiType }) => hiType).sort(), ['DiagnosticReport', 'OPConsultation', 'Prescription'])
    await notify({ careContext: { patientReference: 'MRN-1', careContextReference: 'nowhere' } })
    assert.equal(codeIn(await only()), 'ABDM-1006')
    // Another hospital cannot speak of contexts that are not its own.
    await notify({ hip: { id: OTHER_HOSPITAL } }, 'bridge-other')
    assert.equal(codeIn(await only()), 'ABDM-1006')
    assert.equal((await notify({ hip: { id: OTHER_HOSPITAL } })).status, 400)
  })

  test('a text message goes out with the registered name, at most five a day to one number', async () => {
    const send = () =>
      exchange.asBridge('bridge-hospital', '/hip/v3/link/patient/links/sms/notify2', {
        notification: { phoneNo: '+91-9876543210', hip: { id: HOSPITAL, name: 'Pay here: evil.example' } },
        requestId: 'x',
        timestamp: 'y',
      })
    for (let i = 0; i < 5; i++) await send()
    assert.ok((await exchange.takeSent()).every((message) => bodyOf(message)['status'] === 'ACKNOWLEDGED'))
    await send()
    const refused = await only()
    assert.equal(refused.path, '/api/v3/patients/sms/on-notify')
    assert.equal(bodyOf(refused)['status'], 'ERRORED')
    const texts = (await exchange.waiting(TEXT_MESSAGE_JOB)) as { mobile: string; text: string }[]
    assert.equal(texts.length, 5)
    assert.equal(texts[0]?.mobile, '9876543210')
    assert.match(texts[0]?.text ?? '', /^City Hospital has health records/)
    assert.ok(!JSON.stringify(texts).includes('evil'))
  })

  test('a deactivated patient: no token, no session, no links; the facilities that hold links are told', async () => {
    const mine = await token()
    await exchange.inTx((tx) =>
      setPatientStatus(tx, { patient: ASHA.abhaAddress, status: 'deactivated', actor: OPERATOR }),
    )
    const told = await only()
    assert.equal(told.path, '/api/v3/patients/status/notify')
    assert.deepEqual(told.body, { notification: { status: 'DEACTIVATED', patient: { id: ASHA.abhaAddress } } })
    await link(mine, [group(['visit-20'])])
    assert.equal(codeIn(await only()), 'ABDM-1407')
    await askToken()
    assert.equal(codeIn(await only()), 'ABDM-1407')
    await exchange.inTx((tx) => setPatientStatus(tx, { patient: ASHA.abhaAddress, status: 'active', actor: OPERATOR }))
    await exchange.takeSent()
    const ack = await exchange.asBridge('bridge-hospital', '/hip/v3/link/patient/links/hip/ondeactivate', {
      acknowledgement: { status: 'OK' },
      response: { requestId: 'x' },
    })
    assert.equal(ack.status, 202)
  })

  test('what is stored and logged of a link is sealed, and unknown fields are nowhere', async () => {
    const contexts = await exchange.machine.db.selectFrom('care_context').selectAll().where('bucket', '>=', 0).execute()
    assert.ok(contexts.length > 0)
    assert.ok(!contexts.some((row) => row.sealed_display.includes('Visit')))
    const patients = await exchange.machine.db.selectFrom('patient').selectAll().where('bucket', '>=', 0).execute()
    assert.ok(!patients.some((row) => row.sealed_profile.includes('Asha') || row.sealed_profile.includes(MEERA.mobile)))
    const seen = await exchange.machine.db.selectFrom('message').select('body').execute()
    assert.ok(!JSON.stringify(seen).includes('surprise'))
  })
})
