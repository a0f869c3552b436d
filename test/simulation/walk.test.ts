import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { logVerifyCommand } from '../../src/audit/verify-command.ts'
import { sampleDocument } from '../../src/fhir/sample-documents.ts'
import { FacilityDesk } from '../facility-desk.ts'
import { at, listAt, textAt } from '../json-path.ts'
import { TestNetwork } from '../network.ts'
import { PatientApp } from '../patient-app.ts'
import { ASHA, daysFromNow } from '../people.ts'
import { type Seeded, seeded } from '../seeded.ts'
import { waitFor } from '../wait.ts'

const HOLDER = 'IN2710000011'
const ASKER = 'IN2910000022'
const PARTIES = ['sbx', HOLDER, ASKER] as const
const MRN = '22-7225'
const TYPES = ['OPConsultation', 'Prescription', 'DiagnosticReport', 'WellnessRecord'] as const
type HiType = (typeof TYPES)[number]
const STEPS = 18
/** `AMANAT_TEST_SEED=5,6` walks other ways. */
const SEEDS = (process.env['AMANAT_TEST_SEED'] ?? '20261122,7').split(',').map(Number)
const FREQUENCY = { unit: 'DAY', value: 1, repeats: 2 }
const EXCHANGE_STATUS = { requested: 'REQUESTED', granted: 'GRANTED', denied: 'DENIED', revoked: 'REVOKED' } as const

type Held = { readonly reference: string; readonly hiType: HiType }
type Request = {
  readonly own: string
  readonly request: string
  readonly asked: readonly HiType[]
  status: 'requested' | 'granted' | 'denied' | 'revoked'
  consent?: string
  /** Care contexts that this consent must have brought. */
  brings: readonly string[]
  fetches: number
}

for (const seed of SEEDS) {
  describe(`a random walk through consents (seed ${seed})`, () => {
    let network: TestNetwork
    let holder: FacilityDesk
    let asker: FacilityDesk
    let asha: PatientApp
    const records: Held[] = []
    const requests: Request[] = []
    before(async () => {
      network = await TestNetwork.start({ facilities: [HOLDER, ASKER] })
      await network.enrol(ASHA)
      holder = new FacilityDesk(network, HOLDER)
      asker = new FacilityDesk(network, ASKER)
      asha = await PatientApp.open(network, ASHA.abhaAddress)
      await holder.addPatient(MRN, ASHA)
      for (const hiType of TYPES) await addRecord(hiType)
    })
    after(() => network.stop())

    async function addRecord(hiType: HiType): Promise<void> {
      const reference = `${hiType.toLowerCase()}-${records.length + 1}`
      await holder.addDocument(MRN, reference, sampleDocument(hiType))
      records.push({ reference, hiType })
      await holder.link(MRN, records.length)
    }

    const of = (status: Request['status']): readonly Request[] => requests.filter((one) => one.status === status)
    const contextsOf = (references: readonly string[]) =>
      references.map((careContextReference) => ({ patientReference: MRN, careContextReference }))

    async function ask(dice: Seeded): Promise<void> {
      const asked = dice.some(TYPES)
      const ids = await asker.ask({ patient: ASHA.abhaAddress, hiTypes: asked, frequency: FREQUENCY })
      requests.push({ ...ids, asked, status: 'requested', brings: [], fetches: 0 })
    }

    async function grant(dice: Seeded, request: Request): Promise<void> {
      const hiTypes = dice.some(request.asked)
      const chosen = dice.some(records)
      request.consent = await asha.grant(request.request, HOLDER, {
        hiTypes,
        careContexts: contextsOf(chosen.map(({ reference }) => reference)),
      })
      request.status = 'granted'
      request.brings = chosen.filter(({ hiType }) => hiTypes.includes(hiType)).map(({ reference }) => reference)
      request.fetches = 1
      // Nothing to send: the protocol has no word for that to the asker, who waits until the time of the transfer is over.
      if (request.brings.length === 0) return
      await waitFor(`the first transfer to end (${JSON.stringify(request)})`, async () => {
        await network.hurry(ASKER)
        return (await transfersOf(request)).some((one) =>
          ['complete', 'incomplete', 'failed'].includes(textAt(one, 'status')),
        )
      })
    }

    const transfersOf = async ({ own }: Request): Promise<readonly unknown[]> =>
      listAt(await asker.consent(own), 'artefacts').flatMap((artefact) => listAt(artefact, 'transfers'))

    async function widen(request: Request): Promise<void> {
      const permission = at(await asha.request(request.request), 'permission') as object
      const { status } = await asha.approve(request.request, HOLDER, {
        careContexts: contextsOf([records[0]?.reference ?? '']),
        permission: { ...permission, dataEraseAt: daysFromNow(99).toISOString() },
      })
      assert.equal(status, 400)
    }

    async function fetchAgain(request: Request): Promise<void> {
      const { status } = await network.operator(ASKER, `/v1/consent-requests/${request.own}/fetch`, {})
      const allowed = request.status === 'granted' && request.fetches < FREQUENCY.repeats
      assert.equal(status, allowed ? 202 : request.status === 'granted' ? 429 : 409)
      if (allowed) request.fetches++
    }

    async function revoke(request: Request): Promise<void> {
      const { status } = await asha.revoke(request.consent ?? '')
      assert.equal(status, request.status === 'granted' ? 202 : 409)
      request.status = 'revoked'
    }

    /** One step; the moves that are possible now, each as likely as the others. */
    async function step(dice: Seeded): Promise<string> {
      const moves: (readonly [string, () => Promise<void>])[] = [['ask', () => ask(dice)]]
      const offer = (name: string, from: readonly Request[], move: (one: Request) => Promise<void>): void => {
        if (from.length > 0) moves.push([name, () => move(dice.pick(from))])
      }
      offer('grant', of('requested'), (one) => grant(dice, one))
      offer('grant', of('requested'), (one) => grant(dice, one))
      offer('deny', of('requested'), async (one) => {
        assert.equal(
          (await asha.call(`/api/hiecm/consent/v3/request/${one.request}/deny`, { reason: 'no' })).status,
          202,
        )
        one.status = 'denied'
      })
      offer('widen', of('requested'), widen)
      offer('grant what is decided', [...of('denied'), ...of('granted'), ...of('revoked')], async (one) => {
        assert.equal(
          (await asha.approve(one.request, HOLDER, { careContexts: contextsOf([records[0]?.reference ?? '']) })).status,
          409,
        )
      })
      offer('fetch', [...of('granted'), ...of('revoked')], fetchAgain)
      offer('revoke', [...of('granted'), ...of('revoked')], revoke)
      if (records.length < 7) moves.push(['add a record', () => addRecord(dice.pick(TYPES))])
      const [name, move] = dice.pick(moves)
      await move()
      return name
    }

    async function quiet(): Promise<void> {
      await waitFor('all queues to be empty', async () => {
        for (const id of PARTIES) await network.hurry(id)
        const open = (await Promise.all(PARTIES.map((id) => network.jobs(id)))).flat()
        assert.ok(
          open.every((job) => at(job, 'status') !== 'dead'),
          JSON.stringify(open),
        )
        return open.every((job) => Date.parse(textAt(job, 'runAt')) > Date.now() + 60_000)
      })
    }

    /** What must hold after every step: the three parties agree with the model, and nobody holds data without a living consent. */
    async function check(trace: readonly string[]): Promise<void> {
      const story = trace.join(', ')
      const wanted = of('granted')
        .flatMap((one) => one.brings.map((reference) => `${one.consent} ${reference}`))
        .sort()
      const held = async (): Promise<readonly string[]> => {
        const all = (await asker.records(ASHA.abhaAddress)).map(
          (one) => `${textAt(one, 'artefact')} ${textAt(one, 'careContextReference')}`,
        )
        return [...new Set(all)].sort()
      }
      await waitFor(
        `what is held to be what is consented (${story})`,
        async () => JSON.stringify(await held()) === JSON.stringify(wanted),
      ).catch(async (error: unknown) => {
        assert.deepEqual(await held(), wanted, `${String(error)}`)
      })
      const shown = new Set((await asker.view(ASHA.abhaAddress)).map((one) => textAt(one, 'careContextReference')))
      assert.deepEqual([...shown].sort(), [...new Set(of('granted').flatMap(({ brings }) => brings))].sort(), story)
      for (const one of requests)
        assert.equal(at(await asha.request(one.request), 'status'), EXCHANGE_STATUS[one.status], story)
      const { body } = await asha.call('/api/hiecm/consent/v3/artefact?limit=100&offset=0&status=GRANTED')
      assert.deepEqual(
        listAt(body, 'consentArtefacts')
          .map((one) => textAt(one, 'consentDetail.consentId'))
          .sort(),
        of('granted')
          .map((one) => one.consent ?? '')
          .sort(),
        story,
      )
      const disclosed = (await holder.disclosures(ASHA.abhaAddress)).filter((one) => at(one, 'status') === 'sent')
      for (const one of of('granted')) {
        const pages = disclosed.filter((page) => at(page, 'consentId') === one.consent)
        assert.deepEqual(
          [...new Set(pages.map((page) => textAt(page, 'careContextReference')))].sort(),
          [...one.brings].sort(),
          story,
        )
        assert.equal(
          pages.length,
          one.brings.length * one.fetches,
          `${story}: each page is disclosed once for each request`,
        )
      }
    }

    test('the parties agree after every step', { timeout: 240_000 }, async () => {
      const dice = seeded(seed)
      const trace: string[] = []
      for (let i = 0; i < STEPS; i++) {
        trace.push(await step(dice))
        await quiet()
        await check(trace)
      }
      assert.ok(new Set(trace).size >= 5, trace.join(', '))
    })

    test('all logs verify', async () => {
      for (const id of PARTIES) {
        const lines: string[] = []
        assert.equal(
          await logVerifyCommand([`${network.party(id).url}/log`], {
            print: (line) => void lines.push(line),
            fetching: fetch,
          }),
          0,
          lines.join('\n'),
        )
      }
    })
  })
}
