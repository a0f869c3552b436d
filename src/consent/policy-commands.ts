import { announce, record } from '../audit/record.ts'
import type { Tx } from '../db/tx.ts'
import { bucketOf } from '../kernel/bucket.ts'
import type { Actor } from '../kernel/caller.ts'
import { type AbhaAddress, type FacilityId, type Id, makeId } from '../kernel/id.ts'
import { LIMITS } from '../kernel/limits.ts'
import { isRefusal, type Refusal, refuse } from '../kernel/refusal.ts'
import { isHiu } from '../partners/bridge.ts'
import { facilityById } from '../partners/commands.ts'
import { readPatient } from '../people/commands.ts'
import { checkSettledNumber } from '../people/mobile-commands.ts'
import { type Patient, speaksForHer } from '../people/patient.ts'
import { parsePurpose } from '../policy/purpose.ts'
import { type ApprovalPolicy, type ApprovalTerms, type KnownPolicy, termsJson } from './approval-policy.ts'
import type { PolicyEvent } from './events.ts'
import { findPoliciesOf, findPolicy, insertPolicy, updatePolicy } from './policy-store.ts'

type NewPolicy = {
  readonly patient: AbhaAddress
  readonly hiu: FacilityId
  readonly terms: ApprovalTerms
  readonly actor: Actor
}

/** The patient decides beforehand what one HIU gets. In force at once, for requests that come later. */
export async function createPolicy(tx: Tx, input: NewPolicy): Promise<ApprovalPolicy | Refusal> {
  const fault = checkTerms(input.terms) ?? (await checkSettledNumber(tx, input.actor))
  if (fault) return fault
  const hiu = await facilityById(tx, input.hiu)
  if (hiu === undefined || !isHiu(hiu)) return refuse('consent/unknown-hiu', undefined, 'hiu.id')
  if ((await findPoliciesOf(tx, input.patient)).length >= LIMITS.policiesPerPatientMax) {
    return refuse(
      'consent/too-many-policies',
      `At most ${LIMITS.policiesPerPatientMax} policies; use or change an existing one.`,
    )
  }
  const policy: ApprovalPolicy = {
    id: makeId<'approval-policy'>(tx.now, tx.random, bucketOf(input.patient)),
    patient: input.patient,
    hiu: input.hiu,
    enabled: true,
    terms: input.terms,
    ...guardianOf(input.actor),
    createdAt: tx.now,
    changedAt: tx.now,
  }
  const recorded = await record(tx, eventOf('consent.policy-created', policy, input.actor))
  await insertPolicy(tx, recorded, policy)
  await announce(tx, recorded)
  return policy
}

/** Who decides in the patient's place. */
const guardianOf = (actor: Actor): { readonly guardian?: AbhaAddress } =>
  actor.kind === 'patient' && actor.guardian !== undefined ? { guardian: actor.guardian } : {}

function eventOf(type: PolicyEvent['type'], policy: ApprovalPolicy, actor: Actor): PolicyEvent {
  return { type, actor, patient: policy.patient, subject: policy.id, hiu: policy.hiu, terms: termsJson(policy.terms) }
}

function checkTerms({ isApplicableForAllHIPs, includedSources, excludedSources }: ApprovalTerms): Refusal | undefined {
  const unknown = [
    ...includedSources.map(({ purpose }, i) => ({ purpose, field: `includedSources[${i}].purpose.code` })),
    ...excludedSources.map(({ purpose }, i) => ({
      purpose: purpose ?? 'CAREMGT',
      field: `excludedSources[${i}].purpose.code`,
    })),
  ].find(({ purpose }) => parsePurpose(purpose) !== purpose)
  if (unknown) return refuse('consent/unknown-purpose', undefined, unknown.field)
  const nowhere = includedSources.findIndex(({ hip }) => hip === undefined && !isApplicableForAllHIPs)
  if (nowhere < 0) return undefined
  return refuse(
    'request/invalid-field',
    'A source names a hip unless the policy is for all HIPs.',
    `includedSources[${nowhere}].hip`,
  )
}

/**
 * Switches a policy on or off. Doing it twice changes nothing, unless she confirms what somebody else had switched on for her. Another
 * patient's policy does not exist.
 */
export async function switchPolicy(
  tx: Tx,
  input: {
    readonly patient: AbhaAddress
    readonly id: Id<'approval-policy'>
    readonly enabled: boolean
    readonly actor: Actor
  },
): Promise<ApprovalPolicy | Refusal> {
  const policy = await findPolicy(tx, input.id)
  if (policy === undefined || policy.patient !== input.patient) return refuse('consent/unknown-policy')
  const isConfirming = policy.enabled && input.enabled && (await needsConfirming(tx, policy))
  if (policy.enabled === input.enabled && !isConfirming) return policy
  const fault = input.enabled ? await checkSettledNumber(tx, input.actor) : undefined
  if (fault) return fault
  const recorded = await record(
    tx,
    eventOf(input.enabled ? 'consent.policy-enabled' : 'consent.policy-disabled', policy, input.actor),
  )
  const { guardian: _before, ...rest } = policy
  const decided = input.enabled ? { ...rest, ...guardianOf(input.actor) } : policy
  const now = { ...decided, enabled: input.enabled, changedAt: tx.now }
  await updatePolicy(tx, recorded, policy, now)
  await announce(tx, recorded)
  return now
}

/** Switches off whatever one HIU was allowed beforehand; which policies ended now. Waits for requests that are being granted by one. */
export async function switchOffPoliciesFor(
  tx: Tx,
  input: { readonly patient: AbhaAddress; readonly hiu: FacilityId; readonly actor: Actor },
): Promise<readonly Id<'approval-policy'>[]> {
  const { patient, hiu, actor } = input
  const ended: Id<'approval-policy'>[] = []
  // Without its lock: two who stop at once would each wait for the other's.
  for (const { id, hiu: named, enabled } of await findPoliciesOf(tx, patient)) {
    if (named !== hiu || !enabled) continue
    const policy = await switchPolicy(tx, { patient, id, enabled: false, actor })
    if (!isRefusal(policy)) ended.push(id)
  }
  return ended
}

/** Who gets something now because the patient allowed it beforehand. */
export async function allowedBeforehand(tx: Tx, patient: AbhaAddress): Promise<ReadonlySet<FacilityId>> {
  const policies = await policiesOf(tx, patient)
  const isOn = ({ enabled, isUnconfirmed, terms: { until } }: KnownPolicy): boolean =>
    enabled && !isUnconfirmed && (until === undefined || until > tx.now)
  return new Set(policies.filter(isOn).map(({ hiu }) => hiu))
}

/** The patient's policies, oldest first. */
export async function policiesOf(tx: Tx, patient: AbhaAddress): Promise<readonly KnownPolicy[]> {
  const known = await readPatient(tx, patient)
  return (await findPoliciesOf(tx, patient)).map((policy) => ({
    ...policy,
    isUnconfirmed: known !== undefined && policy.enabled && !isOfPatient(policy, known, tx.now),
  }))
}

/** Those for this HIU that are on and speak for the patient now, locked: whoever switches one off waits. */
export async function policiesToApply(
  tx: Tx,
  patient: AbhaAddress,
  hiu: FacilityId,
): Promise<readonly ApprovalPolicy[]> {
  const policies = await findPoliciesOf(tx, patient, hiu)
  const known = policies.length === 0 ? undefined : await readPatient(tx, patient)
  return known === undefined ? [] : policies.filter((policy) => isOfPatient(policy, known, tx.now))
}

/** It was decided when it was switched on the last time. */
const isOfPatient = ({ guardian, changedAt }: ApprovalPolicy, patient: Patient, now: Date): boolean =>
  speaksForHer({ decidedAt: changedAt, ...(guardian === undefined ? {} : { guardian }) }, patient, now)

async function needsConfirming(tx: Tx, policy: ApprovalPolicy): Promise<boolean> {
  const patient = await readPatient(tx, policy.patient)
  return patient !== undefined && !isOfPatient(policy, patient, tx.now)
}
