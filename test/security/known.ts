import { z } from 'zod'
import type { Route } from '../../src/http/route.ts'
import { ASHA, RAVI } from '../people.ts'
import type { Seeded } from '../seeded.ts'
import { leavesOf, put } from '../valid-body.ts'
import { STEP_UP } from './callers.ts'
import { MRN, type Names } from './furnished.ts'

/** Where an id stands — the route's path and the name of the parameter or member — and whose ids fit there: `table.column`. */
const IDS: readonly (readonly [RegExp, readonly string[]])[] = [
  [/consent-requests\/:id|desk\/consents\/:id/, ['hiu_consent.id']],
  [/withholdings\/:id|me\/policies\/:id|auto\/approve\/:id/, ['withheld_look.id', 'approval_policy.id']],
  [
    /subscription.* :id$| subscription(?:Request)?Id$/,
    ['subscription.id', 'hiu_subscription.id', 'hiu_subscription.exchange_id'],
  ],
  [/ eventId$|event\.id$/, ['subscription_event.id']],
  [
    /partner\/consents\/:id|artefact\/:id| consentId$| consents$|me\/sharing\/:what| artefact$| :artefact$/,
    ['consent_artefact.id', 'hiu_artefact.id', 'hip_artefact.consent_id'],
  ],
  [
    /consent\/v3\/request\/:id|me\/requests\/:id|artefact\/request\/:id|me\/sharing\/:request| consentRequestId$/,
    ['consent_request.id', 'hiu_consent.exchange_id'],
  ],
  [/records\/fetch\/:id/, ['own_fetch.id']],
  [/records\/:id\/view/, ['hiu_document.id']],
  [/visits\/:id/, ['visit.id']],
  [/joinings\/:id/, ['joined_treatment.id']],
  [/emergencies\/:id/, ['emergency_access.id']],
  [/questions\/:patient\/:id| question$|\/v1\/questions id$/, ['question.id', 'received_question.id']],
  [/shares\/:id/, ['hip_share.id', 'profile_share.id']],
  [/jobs\/:id/, ['job.id']],
  [/messages\/:id/, ['message.id']],
  [/staff\/:id| attendants$| add$| remove$/, ['staff.id']],
  [/step-up\/:id/, ['step_up.id']],
  [/ :event$|AuditEvent\/:id| event$/, ['audit_event.id']],
  [
    / :transaction$| transactionId$|request\/status\/:id/,
    [
      'data_request.id',
      'hiu_request.transaction_id',
      'hip_request.transaction_id',
      'linking_transaction.id',
      'hip_discovery.transaction_id',
    ],
  ],
  [
    / requestId$/,
    [
      'hiu_consent.id',
      'hiu_request.id',
      'data_request.hiu_request_id',
      'seen_request.request_id',
      'hiu_subscription.id',
      'hip_link_call.id',
    ],
  ],
]

/** What a hostile client may know of a party: what is there, and how it is called. */
export class Known {
  readonly #ids: Names
  readonly #words: readonly (readonly [RegExp, readonly string[]])[]

  /** `facilities`: ours first; `secrets` of addresses to which pages are sent. */
  constructor(ids: Names, facilities: readonly string[], secrets: readonly string[]) {
    this.#ids = ids
    this.#words = [
      [/ (?::token)$/, secrets],
      [/ :abhaAddress$/, [RAVI.abhaAddress]],
      [/ (?:patient|abhaAddress|:patient)$|patient id$/, [ASHA.abhaAddress]],
      [/ (?:patientReference|:reference)$/, [MRN]],
      [/ (?:referenceNumber|careContextReference)$/, ['visit-1', 'visit-2', MRN]],
      [
        / (?:hip|hips|hiu|hipId|hiuId|holder|recipient|:serviceId)$|(?:providers|hospitals)\/:id|(?:hip|hiu|requester) id$/,
        facilities,
      ],
      [/ stepUp$/, [STEP_UP]],
      [/ mobile$/, [ASHA.mobile]],
      [/ abhaNumber$/, [ASHA.abhaNumber]],
    ]
  }

  /** The route's path with parameters that are there, most of the time, and the query that it needs. */
  path(route: Route, random: Seeded, none: string): string {
    const path = route.path.replaceAll(/:\w+|\*/g, (name) => this.#find(`${route.path} ${name}`, random) ?? none)
    const query = queryNames(route).flatMap((name) => {
      const value = name === 'patient' ? this.#find(`${route.path} ${name}`, random) : undefined
      return value === undefined ? [] : [`${name}=${encodeURIComponent(value)}`]
    })
    return query.length === 0 ? path : `${path}?${query.join('&')}`
  }

  /** The body with things that are there in place of most names of things. */
  body(route: Route, body: unknown, random: Seeded): unknown {
    let known = body
    for (const leaf of leavesOf(body)) {
      const names = leaf.filter((step) => typeof step === 'string')
      const place = `${route.path} ${names.length > 1 && names.at(-1) === 'id' ? `${names.at(-2)} id` : names.at(-1)}`
      const value = this.#find(place, random)
      if (value !== undefined && random.next() < 0.85) known = put(known, leaf, value)
    }
    return known
  }

  #find(place: string, random: Seeded): string | undefined {
    const word = this.#words.find(([where]) => where.test(place))?.[1]
    const ids = IDS.find(([where]) => where.test(place))?.[1].flatMap((column) => this.#ids[column] ?? [])
    const fitting = word ?? ids ?? []
    return fitting.length === 0 ? undefined : random.pick(fitting)
  }
}

/** Names of what a route takes in its query. */
export function queryNames(route: Route): readonly string[] {
  if (route.query === undefined) return []
  const { properties = {} } = z.toJSONSchema(route.query, { io: 'input', unrepresentable: 'any' })
  return Object.keys(properties)
}
