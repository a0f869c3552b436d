import { Claims } from './claims.ts'
import { Emergencies } from './emergencies.ts'
import type { SeenEvent } from './party.ts'
import { Suspensions } from './suspensions.ts'
import type { Hospital, PartyId } from './world.ts'

/** What the simulation found wrong: a law that must hold at every moment does not. */
export class Violation extends Error {
  override readonly name = 'Violation'
}

/** What a patient allowed, in the words of the call that allowed it. */
export type Allowed = {
  readonly hip: Hospital
  readonly hiTypes: readonly string[]
  readonly careContexts: readonly string[]
  readonly from: Date
  readonly to: Date
  readonly until: Date
}

export type Asked = {
  readonly asker: Hospital
  readonly patient: string
  readonly hiTypes: readonly string[]
  readonly from: Date
  readonly to: Date
  readonly until: Date
  /** The asker's id. */
  own: string
  /** The exchange's, once it has one. */
  request?: string
  consents: Consent[]
  denied?: true
}

export type Consent = {
  readonly id: string
  readonly asked: Asked
  readonly allowed: Allowed
  /** Ended at the exchange. */
  ended?: 'REVOKED' | 'EXPIRED'
}

export type Held = { readonly hiType: string; readonly date: Date }

/** Events that may happen once only for the thing they are about. */
const ONCE: Readonly<Record<string, (event: SeenEvent) => string | undefined>> = {
  'consent.requested': (event) => text(event['requestId']),
  'consent.granted': (event) => event.subject,
  'consent.denied': (event) => event.subject,
  'consent.revoked': (event) => event.subject,
  'consent.expired': (event) => event.subject,
  'consent.data-erased': (event) => event.subject,
  'hip.request-accepted': (event) => event.subject,
  'hip.page-sending': (event) => `${event.subject} ${Number(event['page'])}`,
  'hip.transfer-ended': (event) => event.subject,
  'hiu.consent-accepted': (event) => event.subject,
  'hiu.artefact-granted': (event) => event.subject,
  'hiu.artefact-ended': (event) => event.subject,
  'hiu.copy-erased': (event) => (event['again'] === true ? undefined : event.subject),
  'linking.subscription-granted': (event) => event.subject,
}
/** So long an emergency lasts. */
const EMERGENCY_MS = 30 * 60_000
const HI_TYPES = ['Prescription', 'WellnessRecord', 'OPConsultation']

/** Who is behind the names that parties give to people and software. */
export type Register = {
  readonly patientOf: (reference: string) => string
  readonly facilityOf: (clientId: string) => Hospital | undefined
}

/**
 * A small model of what patients allowed, kept from the calls that were made and the messages that arrived: it shares no code with the
 * gate, the rules or the tables of moves. Every committed event is held against it at once.
 */
export class Model {
  readonly asked: Asked[] = []
  readonly consents = new Map<string, Consent>()
  /** Records at the hospitals: `IN… reference`. */
  readonly records = new Map<string, Held>()
  /** Consents of whose end a hospital has been told and answered 2xx: `IN… consent`. */
  readonly told = new Set<string>()
  /** Pages that were recorded as being sent: `IN… transaction`. */
  readonly recorded = new Set<string>()
  /** Consents under which something was sent. */
  readonly sent = new Set<string>()
  /** Care contexts that the exchange knows: `IN… patient reference`. */
  readonly linked = new Set<string>()
  readonly counts = new Map<string, number>()
  /** What the patient's call that is under way allows, by consent request. */
  readonly tried = new Map<string, readonly Allowed[]>()
  readonly faults: string[] = []
  /** Consents whose asker was shut out while they were in force. */
  readonly #toEnd = new Set<string>()
  readonly #seen = new Set<string>()
  /** The exchange's consent requests by the asker's id. */
  readonly #requests = new Map<string, string>()
  readonly emergencies: Emergencies
  readonly claims: Claims
  readonly suspensions: Suspensions

  constructor(register: Register = { patientOf: (reference) => reference, facilityOf: () => undefined }) {
    const fault = (text: string): void => void this.faults.push(text)
    this.emergencies = new Emergencies(register.patientOf, fault)
    this.claims = new Claims(fault)
    this.suspensions = new Suspensions(register.facilityOf, fault)
  }

  /** Takes note of a committed event, and checks what can be wrong with it. */
  see(party: PartyId, event: SeenEvent, at: Date): void {
    this.counts.set(`${party} ${event.type}`, (this.counts.get(`${party} ${event.type}`) ?? 0) + 1)
    const once = ONCE[event.type]?.(event)
    if (once !== undefined) {
      const key = `${party} ${event.type} ${once}`
      if (this.#seen.has(key)) this.faults.push(`${event.type} happened twice for ${once} at ${party}`)
      this.#seen.add(key)
    }
    const { subject = '' } = event
    // No log is ever rolled back or forked here: who says so stops the work of a hospital for nothing.
    if (event.type === 'log.alarm-raised') this.faults.push(`alarm at ${party}: ${text(event['detail'])}`)
    if (party === 'sbx') this.suspensions.see(event)
    else this.emergencies.see(party, event, at)
    this.claims.see(party, event, at)
    if (event.type === 'partners.facility-shut-out') this.#askerShutOut(subject, at)
    if (event.type === 'linking.contexts-linked') this.#linked(event)
    if (event.type === 'consent.requested') this.#requested(event)
    if (event.type === 'consent.granted') this.#granted(event, at)
    if (event.type === 'consent.denied') this.#of(subject, (asked) => (asked.denied = true))
    if (event.type === 'consent.revoked' || event.type === 'consent.expired') {
      const consent = this.consents.get(subject)
      if (consent !== undefined) consent.ended = event.type === 'consent.revoked' ? 'REVOKED' : 'EXPIRED'
      if (consent !== undefined && event.type === 'consent.expired' && at < consent.allowed.until)
        this.faults.push(`consent ${subject} expired before its time`)
    }
    if (event.type === 'hip.page-sending') {
      this.recorded.add(`${party} ${subject}`)
      this.sent.add(text(event['consent']))
      this.#cover(party, text(event['consent']), event, at, 'was disclosed')
    }
    if (event.type === 'hiu.record-viewed') this.#cover(party, subject, event, at, 'was shown')
  }

  #askerShutOut(asker: string, at: Date): void {
    for (const [id, { asked, ended, allowed }] of this.consents)
      if (asked.asker === asker && ended === undefined && at < allowed.until) this.#toEnd.add(id)
  }

  /** When all is quiet: what was allowed to who was shut out has ended, also when it was taken back. */
  endedWithAsker(): void {
    for (const id of this.#toEnd)
      if (this.consents.get(id)?.ended === undefined)
        this.faults.push(`consent ${id} lives on though its asker was shut out`)
  }

  #linked(event: SeenEvent): void {
    for (const { careContextReference } of event['contexts'] as readonly { readonly careContextReference: string }[])
      this.linked.add(`${text(event['hip'])} ${text(event['patient'])} ${careContextReference}`)
  }

  #of(request: string, then: (asked: Asked) => void): void {
    for (const asked of this.asked) if (asked.request === request) then(asked)
  }

  /** A hospital's call to ask has its answer, maybe long after the exchange has the request: the first answer may have been lost. */
  hasAsked(asked: Asked): void {
    const request = this.#requests.get(asked.own)
    if (request !== undefined) asked.request = request
    this.asked.push(asked)
  }

  #requested(event: SeenEvent): void {
    this.#requests.set(text(event['requestId']), event.subject ?? '')
    for (const asked of this.asked)
      if (asked.own === event['requestId'] && event.subject !== undefined) asked.request = event.subject
  }

  /** What a hospital opened in an emergency is as if the patient had allowed it: everything that others hold, for minutes. */
  #openedInEmergency(asker: Hospital, event: SeenEvent, at: Date): void {
    const patient = text(event['patient'])
    const here = [...this.emergencies.all.values()].filter((one) => one.hospital === asker && one.patient === patient)
    const own = [...this.#requests].find(([, request]) => request === event.subject)?.[0] ?? ''
    const latest = Math.max(0, ...here.map(({ until }) => until.getTime()))
    const until = new Date(Math.min(latest, at.getTime() + EMERGENCY_MS))
    const terms = { hiTypes: HI_TYPES, from: new Date(0), to: at, until }
    this.asked.push({ asker, patient, ...terms, own, request: event.subject ?? '', consents: [] })
    const hips = new Set(
      [...this.linked].flatMap((line) => (line.split(' ')[1] === patient ? [line.split(' ')[0]] : [])),
    )
    const allowed = [...hips].map((hip) => ({
      hip: hip as Hospital,
      ...terms,
      careContexts: [...this.linked].flatMap((line) => {
        const [where, whose, reference = ''] = line.split(' ')
        return where === hip && whose === patient ? [reference] : []
      }),
    }))
    this.tried.set(event.subject ?? '', here.length === 0 ? [] : allowed)
  }

  #granted(event: SeenEvent, at: Date): void {
    const actor = event['actor'] as { readonly kind: string; readonly id: string } | undefined
    if (actor?.kind === 'facility') this.#openedInEmergency(actor.id as Hospital, event, at)
    const made = event['consents'] as readonly { readonly id: string; readonly hip: string }[]
    this.#of(event.subject ?? '', (asked) => {
      for (const { id, hip } of made) {
        const allowed = this.tried.get(asked.request ?? '')?.find((one) => one.hip === hip)
        if (allowed === undefined) {
          this.faults.push(`consent ${id} for ${hip} was granted, and no patient had allowed it`)
          continue
        }
        const consent = { id, asked, allowed }
        asked.consents.push(consent)
        this.consents.set(id, consent)
      }
    })
  }

  /** The law: nothing of a patient leaves or is shown without a consent in force at this party that covers it. */
  #cover(party: PartyId, id: string, event: SeenEvent, at: Date, what: string): void {
    const reference = text(event['careContextReference'])
    const consent = this.consents.get(id)
    const say = (why: string): void => void this.faults.push(`${reference} ${what} at ${party} under ${id}: ${why}`)
    if (consent === undefined) return say('there is no such consent')
    const { allowed, asked } = consent
    const held = this.records.get(`${allowed.hip} ${reference}`)
    if (held === undefined) return say('there is no such record')
    if (!allowed.careContexts.includes(reference)) say('the patient did not allow this record')
    if (!allowed.hiTypes.includes(held.hiType) || held.hiType !== event['hiType']) say(`${held.hiType} was not allowed`)
    if (held.date < allowed.from || held.date > allowed.to) say('its date was not allowed')
    if (at >= allowed.until) say(`the consent had ended at ${allowed.until.toISOString()}, it was ${at.toISOString()}`)
    if (this.told.has(`${party} ${id}`)) say('this party had been told of its end')
    if (what === 'was shown' ? asked.asker !== party : allowed.hip !== party) say('it is not for this party')
    if (what !== 'was shown' && event['recipient'] !== asked.asker) say(`it went to ${text(event['recipient'])}`)
  }

  /** The first thing found wrong, as an error. */
  insist(): void {
    const [first] = this.faults
    if (first !== undefined) throw new Violation(first)
  }
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '')
