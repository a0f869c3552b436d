import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { logVerifyCommand } from '../../src/audit/verify-command.ts'
import { sampleDocument } from '../../src/fhir/sample-documents.ts'
import { ChildNetwork } from '../child-network.ts'
import { FacilityDesk } from '../facility-desk.ts'
import { at, listAt, textAt } from '../json-path.ts'
import type { Person } from '../network.ts'
import { PatientApp } from '../patient-app.ts'
import { seeded } from '../seeded.ts'
import { waitFor } from '../wait.ts'

const HOLDER = 'IN2710000011'
const ASKER = 'IN2910000022'
const PARTIES = ['sbx', HOLDER, ASKER] as const
const FLOWS = 6
const KILLS = Number(process.env['AMANAT_TEST_KILLS'] ?? 5)
const SETTLE_MS = 60_000
const PATIENCE_MS = 90_000
const ENDED = ['complete', 'failed', 'incomplete', 'erased']
/** Says where a failing run can be found again. */
const SEED = Number(process.env['AMANAT_TEST_SEED'] ?? 20_261_122)

const person = (i: number): Person => ({
  abhaAddress: `person.${i}@sbx`,
  abhaNumber: `9100000000${String(1000 + i)}`,
  name: `Asha Rao ${i}`,
  gender: 'F',
  birthDate: '1981-01-12',
  mobile: `90000${String(10_000 + i)}`,
})

/** What a client of ours was told with a 2xx: it must still be so in the end. */
type Promised = {
  readonly patient: Person
  readonly asha: PatientApp
  readonly own: string
  readonly request: string
  readonly consent: string
  readonly revoked: boolean
}

/** What `amanat log verify` finds wrong; undefined when nothing. */
async function verifies(target: string): Promise<string | undefined> {
  const lines: string[] = []
  const code = await logVerifyCommand([target], { print: (line) => void lines.push(line), fetching: fetch })
  return code === 0 ? undefined : lines.join('\n')
}

describe(`kill -9 at any moment (seed ${SEED})`, () => {
  let network: ChildNetwork
  let holder: FacilityDesk
  let asker: FacilityDesk
  let over = false
  const promised: Promised[] = []
  before(async () => {
    network = await ChildNetwork.start([HOLDER, ASKER])
    holder = new FacilityDesk(network, HOLDER, PATIENCE_MS)
    asker = new FacilityDesk(network, ASKER, PATIENCE_MS)
  })
  after(() => network.stop())

  const mrn = (i: number): string => `mrn-${i}`

  /** One patient's way from the first visit to the view of the records, and for every other one to revocation. */
  async function flow(i: number): Promise<void> {
    const patient = person(i)
    await network.enrol(patient)
    await holder.addPatient(mrn(i), patient)
    await holder.addDocument(mrn(i), `op-${i}`, sampleDocument('OPConsultation'))
    await holder.addDocument(mrn(i), `rx-${i}`, sampleDocument('Prescription'))
    await holder.link(mrn(i), 2)
    const asha = await PatientApp.open(network, patient.abhaAddress)
    const { own, request } = await asker.ask({
      patient: patient.abhaAddress,
      hiTypes: ['OPConsultation', 'Prescription'],
    })
    const consent = await asha.grant(request, HOLDER)
    await asker.transferred(own, ENDED)
    const revoked = i % 2 === 1
    if (revoked) assert.equal((await asha.revoke(consent)).status, 202)
    promised.push({ patient, asha, own, request, consent, revoked })
  }

  /** Kills one party after another at seeded moments while the flows run. */
  async function havoc(): Promise<number> {
    const dice = seeded(SEED)
    let kills = 0
    for (; kills < KILLS && !over; kills++) {
      await pause(100 + dice.next() * 700)
      const victim = dice.pick(PARTIES)
      await network.kill(victim)
      await network.resurrect(victim)
    }
    return kills
  }

  /** Time flies for what waits for a retry. */
  async function tend(): Promise<void> {
    for (; !over; await pause(200)) await network.hurry()
  }

  /** What the parties know of a flow, for the message of a failure. */
  async function account(own: string, patient: string, consent: string): Promise<string> {
    const jobs = await Promise.all(PARTIES.map(async (id) => (await network.operator(id, '/v1/jobs')).body))
    const notices = listAt({ body: (await network.operator('sbx', '/v1/messages?limit=1000')).body }, 'body')
      .filter((one) => JSON.stringify(at(one, 'body') ?? null).includes(consent))
      .map((one) =>
        [
          at(one, 'direction'),
          at(one, 'path'),
          at(one, 'status'),
          at(one, 'error'),
          at(one, 'at'),
          at(one, 'answer'),
        ].join(' '),
      )
    const again = await network.operator(ASKER, `/v1/consent-requests/${own}/fetch`, {})
    const artefacts = listAt(await holder.call('/v1/artefacts?limit=100'), 'artefacts').filter(
      (one) => at(one, 'consentId') === consent,
    )
    return JSON.stringify(
      {
        artefacts,
        notices,
        again,
        transfers: await transfers(own),
        disclosures: await holder.disclosures(patient),
        jobs,
      },
      null,
      1,
    )
  }

  /** With all waits cut short, the holder may still be dead when the last try is used up; staff asks again. */
  async function hasFailed(own: string): Promise<boolean> {
    const statuses = (await transfers(own)).map((transfer) => textAt(transfer, 'status'))
    return statuses.length > 0 && statuses.every((status) => status === 'failed' || status === 'replaced')
  }

  const transfers = async (own: string): Promise<readonly unknown[]> =>
    listAt(await asker.consent(own), 'artefacts').flatMap((artefact) => listAt(artefact, 'transfers'))

  test('every flow ends, while parties die and come back', { timeout: 300_000 }, async () => {
    const flows = Promise.all(Array.from({ length: FLOWS }, (_, i) => flow(i)))
    const kills = await Promise.all([havoc(), flows.finally(() => (over = true)), tend()]).then(([count]) => count)
    assert.ok(kills >= 3, `${kills} kills`)
    assert.equal(promised.length, FLOWS)
    for (const { own } of promised) {
      for (const transfer of await transfers(own)) {
        const status = textAt(transfer, 'status')
        assert.ok(ENDED.includes(status), status)
        if (status === 'failed' || status === 'incomplete')
          assert.equal(typeof at(transfer, 'reason'), 'string', JSON.stringify(transfer))
      }
    }
  })

  test('nothing that was acknowledged is lost', async () => {
    for (const { asha, request, consent, revoked, own, patient } of promised) {
      assert.equal(at(await asha.request(request), 'status'), revoked ? 'REVOKED' : 'GRANTED')
      const { body } = await asha.call(`/api/hiecm/consent/v3/artefact/${consent}`)
      assert.equal(at(body, 'status'), revoked ? 'REVOKED' : 'GRANTED')
      const told = await waitFor(
        'the asker to know',
        async () => {
          await network.hurry()
          const artefact = listAt(await asker.consent(own), 'artefacts').find((one) => at(one, 'id') === consent)
          return at(artefact, 'status') === (revoked ? 'revoked' : 'granted') && artefact
        },
        SETTLE_MS,
      )
      assert.ok(told)
      await waitFor(
        'the copies to be as they must',
        async () => {
          await network.hurry()
          if (!revoked && (await hasFailed(own))) await network.operator(ASKER, `/v1/consent-requests/${own}/fetch`, {})
          const held = await asker.records(patient.abhaAddress)
          return held.length === (revoked ? 0 : 2)
        },
        SETTLE_MS,
      ).catch(async (error: unknown) => {
        throw new Error(`${String(error)}: ${await account(own, patient.abhaAddress, consent)}`)
      })
    }
  })

  test('what the asker holds, and every page that the holder sent, has its record in the log of the holder', async () => {
    await waitFor(
      'all queues to be empty',
      async () => {
        await network.hurry()
        const open = await Promise.all(
          PARTIES.map(async (id) => listAt({ body: (await network.operator(id, '/v1/jobs')).body }, 'body')),
        )
        return open
          .flat()
          .every(
            (job) =>
              at(job, 'kind') === 'hip.deadline' ||
              at(job, 'status') === 'dead' ||
              Number(new Date(String(at(job, 'runAt')))) > Date.now() + 60_000,
          )
      },
      SETTLE_MS,
    )
    for (const { patient, consent } of promised) {
      const disclosed = await holder.disclosures(patient.abhaAddress)
      for (const one of await asker.records(patient.abhaAddress)) {
        const record = disclosed.find(
          (page) =>
            at(page, 'consentId') === consent &&
            at(page, 'careContextReference') === at(one, 'careContextReference') &&
            at(page, 'status') === 'sent',
        )
        assert.ok(record, `no record of ${String(at(one, 'careContextReference'))} in ${JSON.stringify(disclosed)}`)
        const receipt = await waitFor('the receipt', async () => {
          const answer = await network.operator(
            HOLDER,
            `/v1/receipts/${textAt(record, 'event')}?patient=${encodeURIComponent(patient.abhaAddress)}`,
          )
          return answer.status === 200 && answer.body
        })
        assert.equal(await verifies(network.keep('receipt.json', JSON.stringify(receipt))), undefined)
      }
      const messages = listAt({ body: (await network.operator(HOLDER, '/v1/messages?limit=1000')).body }, 'body')
      const sent = new Set(
        messages
          .filter((one) => at(one, 'direction') === 'out' && at(one, 'peer') === ASKER && at(one, 'status') === 202)
          .map((one) => at(one, 'body.transactionId')),
      )
      for (const transaction of sent)
        assert.ok(
          (await Promise.all(promised.map((one) => holder.disclosures(one.patient.abhaAddress))))
            .flat()
            .some((page) => at(page, 'transactionId') === transaction),
        )
    }
  })

  test('every log verifies from its first entry to its last', async () => {
    for (const id of PARTIES) assert.equal(await verifies(`${network.urlOf(id)}/log`), undefined, id)
  })
})
