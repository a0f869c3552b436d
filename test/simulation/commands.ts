import { sampleDocument } from '../../src/fhir/sample-documents.ts'
import { textAt } from '../json-path.ts'
import type { Seeded } from '../seeded.ts'
import type { Call } from './clients.ts'
import { EmergencyCommands } from './emergency-commands.ts'
import { idText } from './ids.ts'
import type { Allowed, Asked, Consent, Model } from './model.ts'
import { ShutOut } from './shut-out.ts'
import type { Team } from './staff.ts'
import { EXCHANGE, HOSPITALS, type Hospital, type World } from './world.ts'

export const HI_TYPES = ['Prescription', 'WellnessRecord', 'OPConsultation'] as const
export type HiType = (typeof HI_TYPES)[number]
export const PATIENTS = ['asha.rao@sbx', 'ravi.iyer@sbx'] as const
export type Patient = (typeof PATIENTS)[number]

const MINUTE_MS = 60_000
const DAY_MS = 86_400_000
/** When all sample documents were written. */
const WRITTEN = new Date('2026-03-31T10:00:00+05:30')
/** The sample documents are about the first patient. */
const SWAPS = [
  ['Asha Rao', 'Ravi Iyer'],
  ['"gender":"female"', '"gender":"male"'],
  ['1981-01-12', '1975-06-03'],
] as const
const FREQUENCY = { unit: 'HOUR', value: 1, repeats: 3 } as const
const CM = '/api/hiecm'

/** The name of a patient at a hospital. */
export const recordNumber = (patient: string): string => `mrn-${patient.split('.')[0]}`

type Choice = { readonly name: string; readonly weight: number; readonly call: () => Call }

/** What people and hospital software may do next, chosen by the seed among what makes sense, and some that does not. */
export class Commands {
  readonly #world: World
  readonly #model: Model
  readonly #dice: Seeded
  readonly #subscriptions: { readonly id: string; readonly patient: string }[] = []
  readonly emergency: EmergencyCommands
  readonly #shutOut: ShutOut
  #records = 0

  constructor(world: World, model: Model, dice: Seeded, teams: ReadonlyMap<string, Team>) {
    this.#world = world
    this.#model = model
    this.#dice = dice
    this.emergency = new EmergencyCommands(world, model, dice, teams)
    this.#shutOut = new ShutOut(world)
  }

  /** One command of the seed's choice. */
  next(): Call {
    const choices = this.#choices()
    let left = this.#dice.next() * choices.reduce((sum, { weight }) => sum + weight, 0)
    for (const choice of choices) {
      left -= choice.weight
      if (left <= 0) return choice.call()
    }
    return this.#ask()
  }

  /** Hears of subscriptions that wait for their patient. */
  subscriptionAsked(id: string, patient: string): void {
    this.#subscriptions.push({ id, patient })
  }

  #choices(): readonly Choice[] {
    const open = this.#model.asked.filter((one) => one.request !== undefined && one.consents.length === 0)
    const living = [...this.#model.consents.values()].filter(({ ended }) => ended === undefined)
    const sent = living.filter(({ id }) => this.#model.sent.has(id))
    const all = [...this.#model.consents.values()]
    const [subscription] = this.#subscriptions
    const from = <T>(items: readonly T[], name: string, weight: number, make: (one: T) => Call): Choice[] =>
      items.length === 0 ? [] : [{ name, weight, call: () => make(this.#dice.pick(items)) }]
    return [
      { name: 'ask', weight: this.#model.asked.length < 8 ? 3 : 1, call: () => this.#ask() },
      { name: 'add', weight: 1, call: () => this.#add() },
      { name: 'link', weight: 0.7, call: () => this.#link() },
      { name: 'view', weight: 2, call: () => this.#view() },
      { name: 'subscribe', weight: 0.4, call: () => this.#subscribe() },
      ...from(open, 'grant', 5, (one) => this.#grant(one)),
      ...from(open, 'deny', 0.6, (one) => this.#deny(one)),
      ...from(living, 'revoke', 2.2, (one) => this.#revoke(one)),
      ...from(all, 'revoke any', 0.3, (one) => this.#revoke(one)),
      ...from(all, 'fetch', 1.2, (one) => this.#fetch(one)),
      ...from(this.#model.asked, 'refresh', 0.5, (one) => this.#refresh(one)),
      ...from(subscription === undefined ? [] : [subscription], 'allow news', 3, (one) => this.#allowNews(one)),
      ...from(sent, 'claim', 1.5, (one) => this.#claim(one)),
      ...from(all, 'claim any', 0.3, (one) => this.#claim(one)),
      ...from([...this.#model.claims.until.keys()], 'lift claim', 0.3, (id) => this.#lift(id)),
      ...this.#emergencyChoices(),
      ...this.#shutOutChoices(),
    ]
  }

  #emergencyChoices(): readonly Choice[] {
    const here = [...this.#model.emergencies.all.values()]
    const [hospital, patient] = [this.#dice.pick(HOSPITALS), this.#dice.pick(PATIENTS)]
    const reference = recordNumber(patient)
    const some = (name: string, weight: number, call: () => Call): Choice => ({ name, weight, call })
    const open = here.filter((one) => one.ended === undefined)
    const unread = here.filter((one) => one.reviewed === undefined)
    return [
      some('break glass', 0.5, () => this.emergency.open(hospital, reference)),
      some('look', here.length === 0 ? 0.1 : 1.2, () => this.emergency.look(hospital, patient, reference)),
      ...(open.length === 0 ? [] : [some('end', 0.3, () => this.emergency.end(this.#dice.pick(open)))]),
      ...(unread.length === 0 ? [] : [some('review', 0.5, () => this.emergency.review(this.#dice.pick(unread)))]),
    ]
  }

  #shutOutChoices(): readonly Choice[] {
    const { off, ended, shutOut } = this.#model.suspensions
    const hospital = this.#dice.pick(HOSPITALS)
    const [isOff, isOut] = [off.has(hospital), shutOut.has(hospital)]
    return [
      {
        name: 'hospital',
        weight: ended.has(hospital) ? 0.6 : 0.08,
        call: () => this.#shutOut.hospital(hospital, ended.has(hospital) ? 'confirm' : 'shut-out'),
      },
      { name: 'service', weight: isOff ? 1 : 0.25, call: () => this.#shutOut.service(hospital, isOff) },
      {
        name: 'software',
        weight: isOut ? 1 : 0.2,
        call: () => this.#shutOut.software(hospital, isOut ? 'resume' : 'suspend'),
      },
    ]
  }

  #claim(consent: Consent): Call {
    const forMs = this.#dice.next() < 0.7 ? (5 + this.#dice.next() * 240) * MINUTE_MS : 30 * DAY_MS
    return claimCall(consent, new Date(this.#world.time.ms + forMs), this.#id())
  }

  #lift(id: string): Call {
    const asker = this.#model.consents.get(id)?.asked.asker ?? HOSPITALS[0]
    const call = this.#operator('lift claim', asker, `/v1/copies/${id}/claim`, undefined, undefined, false)
    return { ...call, method: 'DELETE' }
  }

  #ask(): Call {
    const dice = this.#dice
    const now = this.#world.time.now()
    const asker = dice.pick(HOSPITALS)
    const asked: Asked = {
      asker,
      patient: dice.pick(PATIENTS),
      hiTypes: dice.some(HI_TYPES),
      from: new Date(now.getTime() - 400 * DAY_MS),
      to: new Date(now.getTime() - DAY_MS),
      until: new Date(now.getTime() + (dice.next() < 0.3 ? 10 + dice.next() * 90 : 30 * 1_440) * MINUTE_MS),
      own: '',
      consents: [],
    }
    const body = {
      patient: asked.patient,
      hiTypes: asked.hiTypes,
      purpose: 'CAREMGT',
      from: asked.from.toISOString(),
      to: asked.to.toISOString(),
      dataEraseAt: asked.until.toISOString(),
      requester: { name: 'Dr. Farida Khan', registrationNumber: 'KA-21-1521' },
      frequency: FREQUENCY,
    }
    return this.#operator('ask', asker, '/v1/consent-requests', body, (_status, answer) => {
      asked.own = textAt(answer, 'id')
      this.#model.hasAsked(asked)
    })
  }

  #grant(asked: Asked): Call {
    const dice = this.#dice
    const request = asked.request ?? ''
    const holders = HOSPITALS.filter((hip) => hip !== asked.asker && this.#linked(hip, asked.patient).length > 0)
    const hiTypes = dice.next() < 0.5 ? asked.hiTypes : dice.some(asked.hiTypes)
    const isPast = dice.next() < 0.15
    const allowed = holders.map(
      (hip): Allowed => ({
        hip,
        hiTypes,
        careContexts: dice.some(this.#linked(hip, asked.patient)),
        from: asked.from,
        to: isPast ? new Date(WRITTEN.getTime() - DAY_MS) : asked.to,
        until: dice.next() < 0.2 ? new Date((asked.until.getTime() + this.#world.time.ms) / 2) : asked.until,
      }),
    )
    const body = { consents: allowed.map((one) => itemOf(asked, one)) }
    const call = this.#patient('grant', asked.patient, `${CM}/consent/v3/request/${request}/approve`, body)
    return { ...call, before: () => this.#model.tried.set(request, allowed) }
  }

  #deny(asked: Asked): Call {
    return this.#patient('deny', asked.patient, `${CM}/consent/v3/request/${asked.request}/deny`, { reason: 'No.' })
  }

  #revoke(consent: Consent): Call {
    return revokeCall(consent, this.#id())
  }

  #fetch({ asked }: Consent): Call {
    return this.#operator('fetch', asked.asker, `/v1/consent-requests/${asked.own}/fetch`, {})
  }

  #refresh(asked: Asked): Call {
    return this.#operator('refresh', asked.asker, `/v1/consent-requests/${asked.own}/refresh`)
  }

  #view(): Call {
    const body = {
      patient: this.#dice.pick(PATIENTS),
      person: { name: 'Dr. Farida Khan', role: 'physician' },
      purpose: 'CAREMGT',
    }
    return this.#operator('view', this.#dice.pick(HOSPITALS), '/v1/records/view', body, undefined, false)
  }

  #add(): Call {
    const [hip, patient, hiType] = [
      this.#dice.pick(HOSPITALS),
      this.#dice.pick(PATIENTS),
      this.#dice.pick(HI_TYPES),
    ] as const
    return addRecord(this.#model, this.#id(), { hip, patient, hiType, reference: `more-${++this.#records}` })
  }

  #link(): Call {
    const patient = recordNumber(this.#dice.pick(PATIENTS))
    return this.#operator('link', this.#dice.pick(HOSPITALS), `/v1/patients/${patient}/link`)
  }

  #subscribe(): Call {
    const now = this.#world.time.ms
    const body = {
      patient: this.#dice.pick(PATIENTS),
      purpose: 'CAREMGT',
      categories: ['LINK', 'DATA'],
      period: { from: new Date(now - DAY_MS).toISOString(), to: new Date(now + 30 * DAY_MS).toISOString() },
    }
    return this.#operator('subscribe', this.#dice.pick(HOSPITALS), '/v1/subscriptions', body)
  }

  #allowNews({ id, patient }: { readonly id: string; readonly patient: string }): Call {
    this.#subscriptions.shift()
    const body = {
      isApplicableForAllHIPs: true,
      includedSources: [{ hiTypes: [...HI_TYPES], purpose: { code: 'CAREMGT' }, period: period(this.#world.time.ms) }],
      excludedSources: [],
    }
    return this.#patient('allow news', patient, `${CM}/subscription-requests/v3/${id}/approve`, body)
  }

  /** Care contexts that a patient can name: the exchange knows them. */
  #linked(hip: Hospital, patient: string): readonly string[] {
    return [...this.#model.linked].flatMap((line) => {
      const [where, whose, reference] = line.split(' ')
      return where === hip && whose === patient && reference !== undefined ? [reference] : []
    })
  }

  #id(): string {
    return idText(this.#world.bytes.bytes(16))
  }

  #operator(
    name: string,
    party: Hospital,
    path: string,
    body?: object,
    answered?: (status: number, body: unknown) => void,
    once = true,
  ): Call {
    return {
      name: `${name} ${party}`,
      party,
      method: 'POST',
      path,
      ...(body === undefined ? {} : { body }),
      id: this.#id(),
      once,
      answered: (status, answer) => (status < 300 ? answered?.(status, answer) : undefined),
    }
  }

  #patient(name: string, patient: string, path: string, body: object): Call {
    return { name, party: EXCHANGE, method: 'POST', path, body, patient, id: this.#id(), once: true }
  }
}

/** A legal claim on a copy, whether its consent lasts or not. */
export function claimCall({ id: consent, asked: { asker } }: Consent, until: Date, id: string): Call {
  const body = { until: until.toISOString(), reference: 'CS 112/2026' }
  const path = `/v1/copies/${consent}/claim`
  return { name: `claim ${asker}`, party: asker, method: 'POST', path, body, id, once: true }
}

/** A patient stops one sharing. */
export function revokeCall({ id: consent, asked }: Consent, id: string): Call {
  const body = { consents: [consent] }
  const path = `${CM}/consent/v3/revoke`
  return { name: 'revoke', party: EXCHANGE, method: 'POST', path, body, patient: asked.patient, id, once: true }
}

/** A hospital writes one more record of a patient. */
export function addRecord(
  model: Model,
  id: string,
  record: { readonly hip: Hospital; readonly patient: string; readonly hiType: HiType; readonly reference: string },
): Call {
  const { hip, patient, hiType, reference } = record
  const text = JSON.stringify(sampleDocument(hiType))
  const own = patient === PATIENTS[0] ? text : SWAPS.reduce((all, [asha, ravi]) => all.replaceAll(asha, ravi), text)
  const document = Buffer.from(own).toString('base64')
  // Before the answer: a call without one may have had its effect.
  model.records.set(`${hip} ${reference}`, { hiType, date: WRITTEN })
  return {
    name: `add ${hip}`,
    party: hip,
    method: 'POST',
    path: `/v1/patients/${recordNumber(patient)}/records`,
    body: { careContextReference: reference, document },
    id,
    once: true,
  }
}

function itemOf(asked: Asked, { hip, hiTypes, careContexts, from, to, until }: Allowed): object {
  return {
    hip: { id: hip },
    hiTypes,
    careContexts: careContexts.map((careContextReference) => ({
      patientReference: recordNumber(asked.patient),
      careContextReference,
    })),
    permission: {
      accessMode: 'VIEW',
      dateRange: { from: from.toISOString(), to: to.toISOString() },
      dataEraseAt: until.toISOString(),
      frequency: FREQUENCY,
    },
  }
}

function period(now: number): object {
  return { from: new Date(now - DAY_MS).toISOString(), to: new Date(now + 30 * DAY_MS).toISOString() }
}
