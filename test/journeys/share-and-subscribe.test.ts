import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { at, listAt, textAt } from '../json-path.ts'
import { ASHA, daysFromNow, heldPatient, heldRecord, LONG_AGO } from '../people.ts'
import { HIP, HIU, startWorld, usualAsk, type World } from '../third-party-world.ts'
import { waitFor } from '../wait.ts'

const CM = '/api/hiecm'
const PURPOSE = {
  text: 'Care Management',
  code: 'CAREMGT',
  refUri: 'http://terminology.hl7.org/ValueSet/v3-PurposeOfUse',
}

for (const [asHip, asHiu] of [
  ['care', 'wrapper'],
  ['wrapper', 'care'],
] as const) {
  describe(`scan and share with a ${asHip} HIP; subscriptions and standing approvals of a ${asHiu} HIU`, () => {
    let world: World
    before(async () => {
      world = await startWorld(asHip, asHiu)
      const { bridge } = world.clinic
      bridge.on('/api/v3/hiu/subscription-requests/hiu/notify', async ({ body, headers }) => {
        await bridge.insist('/subscription-requests/v3/hiu/on-notify', {
          acknowledgement: { status: 'OK', subscriptionRequestId: textAt(body, 'notification.subscriptionRequestId') },
          response: { requestId: headers['request-id'] },
        })
      })
      bridge.on('/api/v3/hiu/subscription/notify', async ({ body, headers }) => {
        await bridge.insist('/subscription-requests/v3/hiu/care-context/on-notify', {
          acknowledgement: { status: 'OK', eventId: textAt(body, 'event.id') },
          response: { requestId: headers['request-id'] },
        })
      })
    })
    after(() => world.stop())

    const profile = () => ({
      patient: {
        abhaNumber: ASHA.abhaNumber,
        abhaAddress: ASHA.abhaAddress,
        name: ASHA.name,
        gender: ASHA.gender,
        dayOfBirth: '12',
        monthOfBirth: '1',
        yearOfBirth: '1981',
        address: { line: '1 Main road', district: 'Pune', state: 'Maharashtra', pincode: '411001' },
        phoneNumber: ASHA.mobile,
      },
    })
    const share = (changes: object = {}) => ({
      intent: 'PROFILE_SHARE',
      metaData: { hipId: HIP, context: 'counter-1', hprId: '', latitude: '19.07', longitude: '72.87' },
      profile: { patient: { ...profile().patient, ...changes } },
    })

    test('a shared profile brings a token of the queue', async () => {
      const requestId = randomUUID()
      const { status, body } = await world.asha.call(`${CM}/patient-share/v3/share`, share(), {
        'X-HIU-ID': HIU,
        'REQUEST-ID': requestId,
      })
      assert.equal(status, 202, JSON.stringify(body))
      const answer = await world.clinic.bridge.callback('/api/v3/hiu/patient/on-share', requestId)
      assert.equal(at(answer.body, 'acknowledgement.status'), 'SUCCESS')
      assert.equal(at(answer.body, 'acknowledgement.profile.tokenNumber'), '7')
      const tokens = await world.asha.call(`${CM}/patient-share/v3/profile/getTokenDetails`)
      assert.ok(JSON.stringify(tokens.body).includes('"7"'), JSON.stringify(tokens.body))
    })

    test("another's profile cannot be shared", async () => {
      const cases = [
        [{ abhaAddress: 'ravi.iyer@sbx' }, 'ABDM-1084'],
        [{ abhaNumber: '91000000000077' }, 'ABDM-1085'],
        [{ name: 'Somebody Else' }, 'ABDM-1086'],
      ] as const
      for (const [change, code] of cases) {
        const { status, body } = await world.asha.call(`${CM}/patient-share/v3/share`, share(change), {
          'X-HIU-ID': HIU,
        })
        assert.deepEqual([status, at(body, 'error.code')], [403, code], JSON.stringify(body))
      }
    })

    test('a standing approval grants what lies within it, and nothing else', async () => {
      const period = { from: LONG_AGO.toISOString(), to: daysFromNow(1).toISOString() }
      const policy = {
        isApplicableForAllHIPs: false,
        hiu: { id: HIU, name: 'Clinic' },
        includedSources: [{ hiTypes: ['Prescription'], purpose: PURPOSE, hip: { id: HIP }, period }],
      }
      const made = await world.asha.call(`${CM}/consent/v3/auto/approve`, policy)
      assert.ok(made.status < 300, JSON.stringify(made.body))
      const inside = await world.clinic.hiu.askFor(usualAsk({ hiTypes: ['Prescription'], hip: HIP }))
      await waitFor('the artefact', () =>
        world.clinic.hiu.statuses.some((one) => one.request === inside && one.status === 'GRANTED'),
      )
      assert.equal(at(await world.asha.request(inside), 'status'), 'GRANTED')
      const wider = await world.clinic.hiu.askFor(usualAsk({ hiTypes: ['Prescription', 'OPConsultation'], hip: HIP }))
      const other = await world.clinic.hiu.askFor(usualAsk({ hiTypes: ['Prescription'], hip: HIP, purpose: 'PUBHLTH' }))
      for (const request of [wider, other]) {
        const granted = listAt(await world.asha.call(`${CM}/consent/v3/artefact/request/${request}`), 'body')
        for (const artefact of granted) assert.deepEqual(listAt(artefact, 'consentDetail.hiTypes'), ['Prescription'])
        if (granted.length === 0) assert.equal(at(await world.asha.request(request), 'status'), 'REQUESTED')
      }
      assert.equal(at(await world.asha.request(other), 'status'), 'REQUESTED')
      const id = textAt(made.body, 'autoApprovalId')
      assert.equal((await world.asha.call(`${CM}/consent/v3/auto/approve/${id}/disable`, {})).status, 202)
      const later = await world.clinic.hiu.askFor(usualAsk({ hiTypes: ['Prescription'], hip: HIP }))
      assert.equal(at(await world.asha.request(later), 'status'), 'REQUESTED')
    })

    test('a subscriber hears of new links and new data, until it is switched off', async () => {
      const { bridge } = world.clinic
      const period = { from: daysFromNow(-1).toISOString(), to: daysFromNow(30).toISOString() }
      const subscription = {
        purpose: PURPOSE,
        patient: { id: ASHA.abhaAddress },
        hiu: { id: HIU, name: 'Clinic', type: 'HIU' },
        hips: [{ id: HIP }],
        categories: ['LINK', 'DATA'],
        period,
      }
      const requestId = await bridge.insist('/subscription-requests/v3/init', { subscription })
      const id = textAt(
        (await bridge.callback('/api/v3/hiu/hiecm/subscription-requests/on-init', requestId)).body,
        'subscriptionRequest.id',
      )
      const hiTypes = ['OPConsultation', 'Prescription', 'DiagnosticReport']
      const approval = {
        isApplicableForAllHIPs: false,
        includedSources: [{ hiTypes, purpose: PURPOSE, hip: { id: HIP }, categories: ['LINK', 'DATA'], period }],
      }
      const approved = await world.asha.call(`${CM}/subscription-requests/v3/${id}/approve`, approval)
      assert.equal(approved.status, 202, JSON.stringify(approved.body))
      await bridge.callback(
        '/api/v3/hiu/subscription-requests/hiu/notify',
        (one) => at(one.body, 'notification.status') === 'GRANTED',
      )
      const event = (category: string, reference: string) =>
        bridge.callback(
          '/api/v3/hiu/subscription/notify',
          (one) => at(one.body, 'event.category') === category && JSON.stringify(one.body).includes(reference),
        )

      const fresh = heldRecord('visit-50', 'DiagnosticReport', '{}')
      const token = await world.hospital.hip.askLinkToken(heldPatient(ASHA))
      await world.hospital.hip.link(heldPatient(ASHA), textAt(token, 'linkToken'), [fresh])
      const linked = await event('LINK', 'visit-50')
      assert.equal(at(linked.body, 'event.content.hip.id'), HIP)
      const told = await world.hospital.hip.notifyContext(
        ASHA.abhaAddress,
        heldRecord('visit-1', 'OPConsultation', '{}'),
      )
      assert.equal(at(told, 'acknowledgement.status'), 'SUCCESS')
      await event('DATA', 'visit-1')

      assert.equal(
        (await world.asha.call(`${CM}/subscription-requests/v3/disable/${textAt(approved.body, 'subscriptionId')}`, {}))
          .status,
        202,
      )
      const before = bridge.countOf('/api/v3/hiu/subscription/notify')
      await world.hospital.hip.notifyContext(ASHA.abhaAddress, heldRecord('visit-2', 'Prescription', '{}'))
      const jobs = await waitFor('an empty queue', async () => {
        const open = await world.network.operator('sbx', '/v1/jobs')
        return Array.isArray(open.body) && open.body.length === 0 && open
      })
      assert.equal(jobs.status, 200)
      assert.equal(bridge.countOf('/api/v3/hiu/subscription/notify'), before)
    })

    test('new data in a context that is not linked is refused in the callback', async () => {
      const told = await world.hospital.hip.notifyContext(
        ASHA.abhaAddress,
        heldRecord('visit-77', 'OPConsultation', '{}'),
      )
      assert.deepEqual(
        [at(told, 'acknowledgement.status'), textAt(told, 'error.code').slice(0, 9)],
        ['ERRORED', 'ABDM-1006'],
      )
    })

    test('link tokens are kept to their patient and HIP, and to three a day', async () => {
      const token = textAt(await world.hospital.hip.askLinkToken(heldPatient(ASHA)), 'linkToken')
      const wrong = await world.hospital.hip
        .link({ ...heldPatient(ASHA), abhaAddress: 'ravi.iyer@sbx' }, token)
        .catch((error: unknown) => String(error))
      assert.match(JSON.stringify(wrong), /ABDM-1038/)
      const forged = await world.hospital.hip
        .link(heldPatient(ASHA), `${token.slice(0, -6)}abcdef`)
        .catch((error: unknown) => String(error))
      assert.match(JSON.stringify(forged), /ABDM-1026|ABDM-1066/)
      const foreign = await world.clinic.hip
        .link(heldPatient(ASHA), token, [heldRecord('x-1', 'Prescription', '{}')])
        .catch((error: unknown) => String(error))
      assert.match(JSON.stringify(foreign), /ABDM-1063/)
      const blocked = await world.hospital.hip.askLinkToken(heldPatient(ASHA))
      assert.match(textAt(blocked, 'error.code'), /^ABDM-1027/)
    })
  })
}
