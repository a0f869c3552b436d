import assert from 'node:assert/strict'
import { setTimeout as pause } from 'node:timers/promises'
import { sampleDocument } from '../../src/fhir/sample-documents.ts'
import { ChildNetwork } from '../child-network.ts'
import { FacilityDesk } from '../facility-desk.ts'
import { at, listAt, textAt } from '../json-path.ts'
import type { Person } from '../network.ts'
import { PatientApp } from '../patient-app.ts'
import { type Seeded, seeded } from '../seeded.ts'
import { waitFor } from '../wait.ts'
import { FaultProxy } from './proxy.ts'
import {
  type Account,
  insistOnCopies,
  insistOnCover,
  insistOnDecisions,
  insistOnLogs,
  insistOnNoDeadJobs,
  insistOnOnce,
} from './real-laws.ts'
import { stormOf } from './weather.ts'

const HOSPITALS = ['IN2710000011', 'IN2910000022'] as const
const PARTIES = ['sbx', ...HOSPITALS] as const
const FLOWS = 3
const KILLS_MAX = 2
const PATIENCE_MS = 90_000
const SETTLE_MS = 90_000
const FORGET_MS = 800
const ENDED = ['complete', 'failed', 'incomplete', 'erased']

export type RealOutcome = {
  readonly seed: number
  readonly kills: number
  /** Faults of the wire that were met. */
  readonly troubles: number
  readonly tookMs: number
}

/** What the seed wants one patient to do. */
type Plan = {
  readonly i: number
  readonly holder: string
  readonly asker: string
  readonly records: readonly string[]
  readonly allowed: readonly string[]
  readonly decided: Account['decided']
}

/**
 * Real processes over bad wires: patients ask, allow, deny and revoke while connections break in every way and parties are killed.
 * Then everything heals, and the laws must hold. Throws for the first that does not.
 */
export async function runReal(seed: number): Promise<RealOutcome> {
  const startedMs = performance.now()
  const run = new RealRun(seed)
  try {
    await run.open()
    await run.go()
    return { seed, ...run.counts(), tookMs: performance.now() - startedMs }
  } finally {
    await run.close()
  }
}

class RealRun {
  readonly #dice: Seeded
  readonly #wires: FaultProxy[] = []
  #network: ChildNetwork | undefined
  #isOver = false
  #kills = 0

  constructor(seed: number) {
    this.#dice = seeded(seed)
  }

  get network(): ChildNetwork {
    if (this.#network === undefined) throw new Error('not open')
    return this.#network
  }

  async open(): Promise<void> {
    this.#network = await ChildNetwork.start([...HOSPITALS], async (port) => {
      const wire = await FaultProxy.open(port, FORGET_MS)
      this.#wires.push(wire)
      return wire.url
    })
  }

  async close(): Promise<void> {
    await this.#network?.stop()
    for (const wire of this.#wires) await wire.close()
  }

  counts(): { readonly kills: number; readonly troubles: number } {
    const troubles = this.#wires.flatMap(({ met }) => [...met.values()]).reduce((sum, count) => sum + count, 0)
    return { kills: this.#kills, troubles }
  }

  async go(): Promise<void> {
    const plans = Array.from({ length: FLOWS }, (_, i) => planOf(this.#dice, i))
    // A storm for each wire: who calls whom first is not the seed's to say, what the wire does to each call is.
    for (const wire of this.#wires) wire.weather = stormOf(seeded(Math.floor(this.#dice.next() * 2 ** 32)))
    const flows = Promise.all(plans.map((plan) => this.#flow(plan)))
    const [accounts] = await Promise.all([flows.finally(() => (this.#isOver = true)), this.#havoc(), this.#tend()])
    for (const wire of this.#wires) wire.heal()
    for (const id of PARTIES) await this.network.resurrect(id)
    await this.#settle(accounts)
    await insistOnDecisions(this.network, accounts)
    await insistOnOnce(this.network, accounts)
    await insistOnCover(this.network, accounts)
    await insistOnCopies(this.network, accounts)
    await insistOnNoDeadJobs(this.network, PARTIES)
    await insistOnLogs(this.network, PARTIES)
    await this.#insistThatLawsCanFail(accounts)
  }

  /** One patient's way from the first visit to the decision, and what comes of it. */
  async #flow(plan: Plan): Promise<Account> {
    const { i, asker, allowed, decided, records } = plan
    const patient = person(i)
    const [holds, asks] = [plan.holder, asker].map((id) => new FacilityDesk(this.network, id, PATIENCE_MS))
    assert.ok(holds !== undefined && asks !== undefined)
    const mrn = `mrn-${i}`
    await this.network.enrol(patient)
    await holds.addPatient(mrn, patient)
    for (const record of records) await holds.addDocument(mrn, record, sampleDocument('Prescription'))
    await holds.link(mrn, records.length)
    const app = await PatientApp.open(this.network, patient.abhaAddress)
    const ids = await asks.ask({ patient: patient.abhaAddress, hiTypes: ['Prescription'] })
    const account = { patient: patient.abhaAddress, holder: plan.holder, asker, allowed, decided, ...ids }
    if (decided === 'denied') {
      const { status } = await app.call(`/api/hiecm/consent/v3/request/${ids.request}/deny`, { reason: 'No.' })
      assert.equal(status, 202)
      return account
    }
    const careContexts = allowed.map((careContextReference) => ({ patientReference: mrn, careContextReference }))
    const consent = await app.grant(ids.request, plan.holder, { careContexts })
    if (decided === 'granted') await asks.transferred(ids.own, ENDED)
    else assert.equal((await app.revoke(consent)).status, 202)
    return { ...account, consent }
  }

  /** Kills one party after another at moments of the seed while the flows run. */
  async #havoc(): Promise<void> {
    for (; this.#kills < KILLS_MAX && !this.#isOver; this.#kills++) {
      await pause(100 + this.#dice.next() * 900)
      const victim = this.#dice.pick(PARTIES)
      await this.network.kill(victim)
      await this.network.resurrect(victim)
    }
  }

  /** Time flies for what waits for a retry. */
  async #tend(): Promise<void> {
    for (; !this.#isOver; await pause(100)) await this.network.hurry()
  }

  /** Lets everything come to rest; staff asks again for data whose transfer has failed. */
  async #settle(accounts: readonly Account[]): Promise<void> {
    await waitFor(
      'all decisions to be everywhere, and all copies to be as they must',
      async () => {
        await this.network.hurry()
        const rested = await Promise.all(accounts.map((account) => this.#isAtRest(account)))
        return rested.every(Boolean) && this.#areQueuesEmpty()
      },
      SETTLE_MS,
    ).catch(async (error: unknown) => {
      const known = await Promise.all(accounts.map(async ({ asker, own }) => this.#consent(asker, own)))
      throw new Error(`${String(error)}: ${JSON.stringify({ accounts, known })}`)
    })
  }

  async #isAtRest({ asker, own, decided, allowed, patient, consent }: Account): Promise<boolean> {
    const known = await this.#consent(asker, own)
    if (at(known, 'status') !== decided) return false
    const transfers = listAt(known, 'artefacts').flatMap((artefact) => listAt(artefact, 'transfers'))
    const desk = new FacilityDesk(this.network, asker)
    const held = (await desk.records(patient)).filter((one) => at(one, 'artefact') === consent)
    if (held.length === (decided === 'granted' ? allowed.length : 0)) return true
    const isOver = transfers.every((one) => !['asked', 'acknowledged', 'receiving'].includes(textAt(one, 'status')))
    if (decided === 'granted' && isOver) await this.network.operator(asker, `/v1/consent-requests/${own}/fetch`, {})
    return false
  }

  /** A law that holds for a false account too proves nothing. */
  async #insistThatLawsCanFail(accounts: readonly Account[]): Promise<void> {
    const flipped = { granted: 'revoked', revoked: 'granted', denied: 'granted' } as const
    const lies = accounts.map((one) => ({ ...one, decided: flipped[one.decided], allowed: [] }))
    for (const law of [insistOnDecisions, insistOnOnce, insistOnCover])
      await assert.rejects(law(this.network, lies), law.name)
    for (const one of accounts.filter(({ decided }) => decided === 'granted')) {
      await assert.rejects(insistOnCopies(this.network, [{ ...one, allowed: ['other'] }]))
      await assert.rejects(insistOnCopies(this.network, [{ ...one, decided: 'revoked' }]))
    }
  }

  async #consent(asker: string, own: string): Promise<unknown> {
    return (await this.network.operator(asker, `/v1/consent-requests/${own}`)).body
  }

  async #areQueuesEmpty(): Promise<boolean> {
    const open = await Promise.all(PARTIES.map(async (id) => (await this.network.operator(id, '/v1/jobs')).body))
    return open
      .flatMap((body) => listAt({ body }, 'body'))
      .every((job) => at(job, 'status') === 'dead' || Date.parse(textAt(job, 'runAt')) > Date.now() + 60_000)
  }
}

/** Each kind of decision comes in every run; who holds, what there is and what is allowed is the seed's choice. */
function planOf(dice: Seeded, i: number): Plan {
  const holder = dice.pick(HOSPITALS)
  const records = Array.from({ length: 2 + Math.floor(dice.next() * 2) }, (_, n) => `rx-${i}-${n}`)
  const decided = (['granted', 'revoked', 'denied'] as const)[i % 3] ?? 'granted'
  return {
    i,
    holder,
    asker: HOSPITALS.find((id) => id !== holder) ?? holder,
    records,
    allowed: decided === 'denied' ? [] : dice.some(records),
    decided,
  }
}

const person = (i: number): Person => ({
  abhaAddress: `person.${i}@sbx`,
  abhaNumber: `9100000000${String(1000 + i)}`,
  name: 'Asha Rao',
  gender: 'F',
  birthDate: '1981-01-12',
  mobile: `90000${String(10_000 + i)}`,
})
