import type { ApprovalPolicy, ApprovalTerms } from '../consent/approval-policy.ts'
import { termsJson } from '../consent/approval-policy.ts'
import { actorOf } from '../consent/decision-commands.ts'
import { createPolicy, policiesOf, switchPolicy } from '../consent/policy-commands.ts'
import { listRequestsOf } from '../consent/readers.ts'
import type { Tx } from '../db/tx.ts'
import { type Call, type Route, route } from '../http/route.ts'
import type { PatientCaller } from '../kernel/caller.ts'
import { type FacilityId, type Id, parseId } from '../kernel/id.ts'
import { isRefusal, type Refusal, refuse } from '../kernel/refusal.ts'
import { holdersOf } from '../linking/link-commands.ts'
import { isHiu } from '../partners/bridge.ts'
import { facilityById } from '../partners/commands.ts'
import { policyBody, policyEnableBody } from './me-request-messages.ts'
import { patientCaller } from './me-request-routes.ts'
import { type Named, named } from './me-request-view.ts'

const reading = { dialect: 'native', auth: 'patient', method: 'GET', once: false } as const
const deciding = { dialect: 'native', auth: 'patient', method: 'POST', once: true } as const

/** Standing approvals in the patient app: what is allowed without asking each time. */
export function mePolicyRoutes(): readonly Route[] {
  return [listRoute(), createRoute(), enableRoute(), disableRoute()]
}

/** A standing approval as the person reads it. */
export type PolicyView = {
  readonly id: Id<'approval-policy'>
  readonly hiu: Named
  readonly enabled: boolean
  /** Off because somebody else made it who decided for this person then. */
  readonly isUnconfirmed: boolean
  readonly createdAt: string
  readonly changedAt: string
  readonly isForAll: boolean
  readonly sources: readonly {
    readonly hip?: Named
    readonly purpose: string
    readonly hiTypes: readonly string[]
    readonly from: string
    readonly to: string
  }[]
  /** How many exceptions it has: kinds, providers or years that are always asked about. */
  readonly exceptions: number
}

async function viewPolicy(tx: Tx, policy: ApprovalPolicy & { readonly isUnconfirmed?: boolean }): Promise<PolicyView> {
  const { isApplicableForAllHIPs, includedSources, excludedSources } = termsJson(policy.terms)
  const sources: PolicyView['sources'][number][] = []
  for (const { hip, purpose, hiTypes, period } of includedSources)
    sources.push({ ...(hip === undefined ? {} : { hip: await named(tx, hip) }), purpose, hiTypes, ...period })
  return {
    id: policy.id,
    hiu: await named(tx, policy.hiu),
    enabled: policy.enabled && policy.isUnconfirmed !== true,
    isUnconfirmed: policy.isUnconfirmed === true,
    createdAt: policy.createdAt.toISOString(),
    changedAt: policy.changedAt.toISOString(),
    isForAll: isApplicableForAllHIPs,
    sources,
    exceptions: excludedSources.length,
  }
}

function listRoute(): Route {
  return route({
    ...reading,
    path: '/v1/me/policies',
    summary: 'My standing approvals, oldest first, and for whom and of what a new one can be made',
    answers: { 200: { description: 'Policies, askers, providers' } },
    handle: async ({ tx, ...call }) => {
      const caller = patientCaller(call)
      if (isRefusal(caller)) return caller
      const policies: PolicyView[] = []
      for (const policy of await policiesOf(tx, caller.patient)) policies.push(await viewPolicy(tx, policy))
      return {
        status: 200,
        body: { policies, askers: await askersOf(tx, caller), providers: await providersOf(tx, caller) },
      }
    },
  })
}

/** Those who have asked this person before and take part now: for whom a standing approval makes sense. */
async function askersOf(tx: Tx, { patient }: PatientCaller): Promise<readonly Named[]> {
  const { items } = await listRequestsOf(tx, patient, { ofOthers: true })
  const askers: Named[] = []
  for (const id of new Set(items.map(({ asked }) => asked.hiu))) {
    const facility = await facilityById(tx, id)
    if (facility !== undefined && isHiu(facility)) askers.push({ id, name: facility.name })
  }
  return askers
}

async function providersOf(tx: Tx, { patient }: PatientCaller): Promise<readonly Named[]> {
  const providers: Named[] = []
  for (const id of await holdersOf(tx, patient)) providers.push(await named(tx, id))
  return providers
}

function createRoute(): Route {
  return route({
    ...deciding,
    path: '/v1/me/policies',
    summary: 'I allow beforehand what one facility will ask for; after a proof anew of who I am',
    body: policyBody,
    stepUp: { act: 'policy.save', subject: ({ body }) => body.hiu },
    answers: {
      201: { description: 'In force for requests that come later' },
      404: { description: 'No such facility' },
    },
    handle: async ({ tx, body, ...call }) => {
      const caller = patientCaller(call)
      if (isRefusal(caller)) return caller
      const { hiu, hips, purpose, hiTypes, period } = body
      const facility = await facilityById(tx, hiu)
      if (facility === undefined || !isHiu(facility)) return refuse('consent/unknown-hiu', undefined, 'hiu')
      const source = { purpose, hiTypes, period }
      const terms: ApprovalTerms = {
        isApplicableForAllHIPs: hips === undefined,
        includedSources: hips === undefined ? [source] : hips.map((hip: FacilityId) => ({ ...source, hip })),
        excludedSources: [],
        // "How long shall this hold?": the day is both the last of the records and the end of the approval.
        until: period.to,
      }
      const policy = await createPolicy(tx, { patient: caller.patient, hiu, terms, actor: actorOf(caller) })
      return isRefusal(policy) ? policy : { status: 201, body: await viewPolicy(tx, policy) }
    },
  })
}

type Calling = Pick<Call<never, never>, 'caller' | 'params'>

function callerAndPolicy(
  call: Calling,
): { readonly caller: PatientCaller; readonly id: Id<'approval-policy'> } | Refusal {
  const caller = patientCaller(call)
  if (isRefusal(caller)) return caller
  const id = parseId<'approval-policy'>(call.params['id'] ?? '')
  return id === undefined ? refuse('consent/unknown-policy') : { caller, id }
}

const ANSWERS = { 200: { description: 'The policy' }, 404: { description: 'No such policy of mine' } } as const

function enableRoute(): Route {
  return route({
    ...deciding,
    path: '/v1/me/policies/:id/enable',
    summary: 'A standing approval of mine holds again; after a proof anew of who I am',
    body: policyEnableBody,
    stepUp: { act: 'policy.save', subject: ({ params }) => params['id'] ?? '' },
    answers: ANSWERS,
    handle: async ({ tx, ...call }) => {
      const step = callerAndPolicy(call)
      if (isRefusal(step)) return step
      const { caller, id } = step
      const isMine = (await policiesOf(tx, caller.patient)).some((policy) => policy.id === id)
      if (!isMine) return refuse('consent/unknown-policy')
      return switchTo(tx, caller, id, true)
    },
  })
}

/** Stopping needs no proof: it must not be harder than starting (DPDP s.6(4)). */
function disableRoute(): Route {
  return route({
    ...deciding,
    path: '/v1/me/policies/:id/disable',
    summary: 'From now on I am asked each time again',
    answers: ANSWERS,
    handle: async ({ tx, ...call }) => {
      const step = callerAndPolicy(call)
      return isRefusal(step) ? step : switchTo(tx, step.caller, step.id, false)
    },
  })
}

async function switchTo(tx: Tx, caller: PatientCaller, id: Id<'approval-policy'>, enabled: boolean) {
  const policy = await switchPolicy(tx, { patient: caller.patient, id, enabled, actor: actorOf(caller) })
  return isRefusal(policy) ? policy : { status: 200, body: await viewPolicy(tx, policy) }
}
