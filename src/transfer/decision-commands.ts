import { readPermission } from '../consent/artefact.ts'
import type { Artefact } from '../consent/consent.ts'
import { isGrantAcknowledged } from '../consent/notices.ts'
import { artefactsOf } from '../consent/readers.ts'
import type { Tx } from '../db/tx.ts'
import type { HiType } from '../fhir/hi-type.ts'
import type { AbhaAddress, FacilityId } from '../kernel/id.ts'
import { LIMITS } from '../kernel/limits.ts'
import { facilityById } from '../partners/commands.ts'
import { readPatient } from '../people/commands.ts'
import { decide } from '../policy/decide.ts'
import { windowMs } from '../policy/frequency.ts'
import type { ConsentFact, Decision, Standing } from '../policy/gate.ts'
import type { Period } from '../policy/period.ts'
import type { PurposeCode } from '../policy/purpose.ts'
import { findUses } from './store.ts'

/** "May this be shared?", asked without sharing anything. */
export type DryRun = {
  readonly patient: AbhaAddress
  readonly recipient: FacilityId
  readonly holder: FacilityId
  readonly purpose: PurposeCode
  readonly types: readonly HiType[]
  readonly period: Period
  /** Which of the two asks. */
  readonly asker: FacilityId
}

/**
 * The gate's answer to a data request as it would be now, over all consents of the patient that name both facilities. A patient who is
 * not here, or who left, answers as one who consented to nothing.
 */
export async function decideDryRun(tx: Tx, ask: DryRun): Promise<Decision> {
  const account = await readPatient(tx, ask.patient)
  const page = { limit: LIMITS.sharingConsentsMax, offset: 0 }
  const held = account?.status === 'active' ? (await artefactsOf(tx, ask.patient, { page })).items : []
  const named = held.filter(({ hiu, hip }) => hiu === ask.recipient && hip === ask.holder)
  const consents: ConsentFact[] = []
  for (const artefact of named) consents.push(await factOf(tx, artefact))
  const { patient, recipient, holder, purpose, types, period, asker } = ask
  return decide(
    {
      patient,
      recipient,
      holder,
      purpose,
      types,
      period,
      actor: { kind: 'facility', id: asker },
      channel: 'native',
      mode: 'request',
      now: tx.now,
    },
    {
      recipient: await standingOf(tx, recipient),
      holder: await standingOf(tx, holder),
      refusals: [],
      consents,
    },
  )
}

async function factOf(tx: Tx, artefact: Artefact): Promise<ConsentFact> {
  const { detail } = artefact
  const permission = readPermission(detail.permission)
  return {
    id: artefact.id,
    readable: true,
    status: artefact.status,
    patient: artefact.patient,
    recipient: artefact.hiu,
    holder: artefact.hip,
    purpose: detail.purpose.code,
    types: detail.hiTypes,
    period: permission.dateRange,
    eraseAt: permission.dataEraseAt,
    careContexts: detail.careContexts,
    frequency: permission.frequency,
    usedAt: await findUses(tx, artefact.id, new Date(tx.now.getTime() - windowMs(permission.frequency))),
    acknowledged: await isGrantAcknowledged(tx, artefact),
  }
}

async function standingOf(tx: Tx, id: FacilityId): Promise<Standing> {
  const facility = await facilityById(tx, id)
  return facility === undefined ? 'unknown' : facility.status === 'active' ? 'active' : 'suspended'
}
