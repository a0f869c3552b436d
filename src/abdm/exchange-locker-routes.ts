import type { z } from 'zod'
import type { ApprovalTerms } from '../consent/approval-policy.ts'
import { createPolicy, policiesOf } from '../consent/policy-commands.ts'
import type { Tx } from '../db/tx.ts'
import { HI_TYPES } from '../fhir/hi-type.ts'
import { type Answer, type Call, type Route, route } from '../http/route.ts'
import { parseFacilityId } from '../kernel/id.ts'
import { LIMITS } from '../kernel/limits.ts'
import { isRefusal, must, type Refusal, refuse } from '../kernel/refusal.ts'
import type { Answer as PatientAnswer, Period, Subscription, SubscriptionRequest } from '../linking/subscription.ts'
import { checkLocker, setUpLocker, subscriptionsOf } from '../linking/subscription-commands.ts'
import type { Facility } from '../partners/bridge.ts'
import { facilityById } from '../partners/commands.ts'
import { patientStep } from './exchange-callers.ts'
import { readAnswer, readPurpose, wireSubscription } from './exchange-subscription-wire.ts'
import { setupLocker } from './subscription-messages.ts'
import { wireDate } from './wire.ts'

const BASE = '/api/hiecm/subscription-requests/v3'
/** Longest a locker is kept up to date before the patient is asked anew. */
const LOCKER_YEARS = 5
const patientRead = { method: 'GET', dialect: 'abdm', auth: 'patient', once: false } as const

/** Health lockers at the exchange (protocol sheet 2.7 (13), (14)). */
export function exchangeLockerRoutes(): readonly Route[] {
  return [
    route({
      method: 'POST',
      dialect: 'abdm',
      auth: 'patient',
      once: true,
      path: `${BASE}/setup-locker`,
      summary: 'Set up a health locker: a subscription and, where wanted, automatic consent.',
      body: setupLocker,
      answers: { 202: { description: 'Set up.' } },
      handle: async (call) => setUp(call),
    }),
    route({
      ...patientRead,
      path: `${BASE}/patients/lockers`,
      summary: 'The patient’s health lockers.',
      answers: { 200: { description: 'Lockers.' } },
      handle: async (call) => {
        const lockers = await lockersOf(call)
        return isRefusal(lockers) ? lockers : { status: 200, body: lockers.map(wireSummary) }
      },
    }),
    route({
      ...patientRead,
      path: `${BASE}/patients/lockers/:lockerId`,
      summary: 'One health locker of the patient, with what it may do.',
      answers: { 200: { description: 'The locker.' } },
      handle: async (call) => {
        const lockers = await lockersOf(call)
        if (isRefusal(lockers)) return lockers
        const locker = lockers.find((each) => each.facility.id === call.params['lockerId'])
        if (locker === undefined) return refuse('linking/unknown-locker')
        return { status: 200, body: await wireLocker(call.tx, locker) }
      },
    }),
  ]
}

type Setup = Pick<Call<z.output<typeof setupLocker>, undefined>, 'tx' | 'caller' | 'headers' | 'requestId' | 'body'>

async function setUp(call: Setup): Promise<Answer | Refusal> {
  const step = await patientStep(call)
  if (isRefusal(step)) return step
  const { tx, body } = call
  const locker = parseFacilityId(call.headers['x-locker-id'] ?? '')
  if (locker === undefined)
    return refuse('request/invalid-header', 'X-LOCKER-ID is missing: name the health locker.', 'X-LOCKER-ID')
  const purpose = readPurpose(body.purpose ?? { code: 'PATRQT' })
  if (isRefusal(purpose)) return purpose
  const to = new Date(tx.now)
  to.setUTCFullYear(to.getUTCFullYear() + LOCKER_YEARS)
  const answer = readAnswer(body.subscription ?? { isApplicableForAllHIPs: true })
  const usual: SubscriptionRequest = { purpose, hips: [], categories: ['LINK', 'DATA'], period: { from: tx.now, to } }
  const wanted = { patient: step.patient, locker, request: widen(usual, answer), answer, actor: step.actor }
  // Both halves are checked before either is written: a refusal leaves nothing behind.
  const fault = await checkLocker(tx, wanted)
  if (isRefusal(fault)) return fault
  const policy = body.autoApproval
    ? await createPolicy(tx, {
        patient: step.patient,
        hiu: locker,
        actor: step.actor,
        terms: readApproval(readAnswer(body.autoApproval), purpose.code, { from: new Date(0), to }),
      })
    : undefined
  if (isRefusal(policy)) return policy
  const subscription = must(await setUpLocker(tx, wanted))
  const approval = policy === undefined ? {} : { consentAutoApprovalId: policy.id }
  return { status: 202, body: { subscriptionId: subscription.id, ...approval } }
}

/** What a source does not say is every HI type, and every record up to now and as long as the locker runs. */
function readApproval(wanted: PatientAnswer, purpose: string, period: Period): ApprovalTerms {
  return {
    isApplicableForAllHIPs: wanted.isForAllHips,
    includedSources: (wanted.included.length === 0 ? [{}] : wanted.included).map((source) => ({
      hiTypes: source.hiTypes ?? HI_TYPES,
      purpose,
      period: source.period ?? period,
      ...(source.hip === undefined ? {} : { hip: source.hip }),
    })),
    excludedSources: wanted.excluded.map(({ hiTypes, hip, period: dates }) => ({
      ...(hiTypes ? { hiTypes } : {}),
      ...(hip ? { hip } : {}),
      ...(dates ? { period: dates } : {}),
    })),
  }
}

/** The patient asks for this subscription herself: its period is hers to choose. */
function widen(request: SubscriptionRequest, answer: PatientAnswer): SubscriptionRequest {
  const periods = answer.included.flatMap((source) => (source.period === undefined ? [] : [source.period]))
  const from = new Date(Math.min(request.period.from.getTime(), ...periods.map((period) => period.from.getTime())))
  const to = new Date(Math.max(request.period.to.getTime(), ...periods.map((period) => period.to.getTime())))
  return { ...request, period: { from, to } }
}

type Locker = {
  readonly patient: Subscription['patient']
  readonly facility: Facility
  /** Newest first. */
  readonly subscriptions: readonly Subscription[]
}

async function lockersOf(call: Parameters<typeof patientStep>[0]): Promise<readonly Locker[] | Refusal> {
  const step = await patientStep(call)
  if (isRefusal(step)) return step
  const lockers: Locker[] = []
  // Those that only ask are no lockers, and do not push out those that are.
  const page = { limit: LIMITS.pageSizeMax, offset: 0 }
  const granted = await subscriptionsOf(call.tx, step.patient, { ...page, status: 'granted' })
  const revoked = await subscriptionsOf(call.tx, step.patient, { ...page, status: 'revoked' })
  const all = [...granted, ...revoked].sort((a, b) => b.requestedAt.getTime() - a.requestedAt.getTime())
  for (const hiu of new Set(all.map((each) => each.hiu))) {
    const facility = await facilityById(call.tx, hiu)
    if (!facility?.roles.includes('health-locker')) continue
    lockers.push({ patient: step.patient, facility, subscriptions: all.filter((each) => each.hiu === hiu) })
  }
  return lockers
}

function wireSummary({ patient, facility, subscriptions }: Locker): object {
  const oldest = subscriptions.at(-1)
  return {
    patientId: patient,
    lockerId: facility.id,
    lockerName: facility.name,
    active: subscriptions.some((each) => each.status === 'granted'),
    ...(oldest === undefined ? {} : { dateCreated: wireDate(oldest.requestedAt) }),
  }
}

async function wireLocker(tx: Tx, locker: Locker): Promise<object> {
  const policies = (await policiesOf(tx, locker.patient)).filter((policy) => policy.hiu === locker.facility.id)
  const subscriptions: object[] = []
  for (const each of locker.subscriptions) subscriptions.push(await wireSubscription(tx, each))
  return {
    ...wireSummary(locker),
    subscriptions,
    autoApprovals: policies.map(({ id, enabled, isUnconfirmed, createdAt }) => ({
      autoApprovalId: id,
      active: enabled && !isUnconfirmed,
      dateCreated: wireDate(createdAt),
    })),
  }
}
