import { askConsent, type ConsentNeeds, grantConsent } from '../consent/commands.ts'
import type { Artefact, CareContextRef, GrantItem, Permission } from '../consent/consent.ts'
import { artefactsOf, artefactsOfRequest, requestOf } from '../consent/readers.ts'
import type { Tx } from '../db/tx.ts'
import { HI_TYPES, type HiType } from '../fhir/hi-type.ts'
import type { Actor } from '../kernel/caller.ts'
import type { AbhaAddress, FacilityId } from '../kernel/id.ts'
import { LIMITS } from '../kernel/limits.ts'
import { isRefusal, type Refusal } from '../kernel/refusal.ts'

/** Records of a whole life, with a day to spare for clocks that run ahead. */
const BEFORE_EVERYBODY = new Date('1900-01-01T00:00:00.000Z')
const DAY_MS = 86_400_000

export type OwnConsentsAsk = {
  readonly patient: AbhaAddress
  /** Of the patient, or of the guardian who acts for a child. */
  readonly name: string
  readonly actor: Actor
  readonly app: FacilityId
  readonly hiTypes: readonly HiType[] | undefined
  readonly contexts: ReadonlyMap<FacilityId, readonly CareContextRef[]>
}

/**
 * The consents that a patient's own copy rests on, one for each hospital. She asks and decides in one: a request of the exchange's own
 * app with the purpose Self Requested, granted by herself, for an hour, to view. One that she gave within this hour is used again.
 */
export async function ownConsents(
  tx: Tx,
  needs: ConsentNeeds,
  ask: OwnConsentsAsk,
): Promise<ReadonlyMap<FacilityId, Artefact> | Refusal> {
  const found = new Map<FacilityId, Artefact>()
  const { items } = await artefactsOf(tx, ask.patient, { status: 'GRANTED' })
  for (const artefact of items) if (isFitting(tx, artefact, ask)) found.set(artefact.hip, artefact)
  const missing = [...ask.contexts].filter(([hip]) => !found.has(hip))
  for (let from = 0; from < missing.length; from += LIMITS.artefactsPerRequestMax) {
    const made = await consentTo(tx, needs, ask, missing.slice(from, from + LIMITS.artefactsPerRequestMax))
    if (isRefusal(made)) return made
    for (const artefact of made) found.set(artefact.hip, artefact)
  }
  return found
}

const typesOf = (ask: OwnConsentsAsk): readonly HiType[] => ask.hiTypes ?? HI_TYPES

function isFitting(tx: Tx, artefact: Artefact, ask: OwnConsentsAsk): boolean {
  const contexts = ask.contexts.get(artefact.hip)
  if (artefact.hiu !== ask.app || contexts === undefined) return false
  const wanted = typesOf(ask)
  const { hiTypes, careContexts } = artefact.detail
  return (
    // Long enough for a transfer that begins now.
    artefact.dataEraseAt.getTime() >= tx.now.getTime() + LIMITS.transferMs &&
    hiTypes.length === wanted.length &&
    wanted.every((type) => hiTypes.includes(type)) &&
    contexts.every((context) => careContexts.some((other) => isSameContext(context, other)))
  )
}

function isSameContext(a: CareContextRef, b: CareContextRef): boolean {
  return a.patientReference === b.patientReference && a.careContextReference === b.careContextReference
}

async function consentTo(
  tx: Tx,
  needs: ConsentNeeds,
  ask: OwnConsentsAsk,
  holders: readonly (readonly [FacilityId, readonly CareContextRef[]])[],
): Promise<readonly Artefact[] | Refusal> {
  const permission: Permission = {
    accessMode: 'VIEW',
    dateRange: { from: BEFORE_EVERYBODY, to: new Date(tx.now.getTime() + DAY_MS) },
    dataEraseAt: new Date(tx.now.getTime() + LIMITS.ownConsentMs),
    frequency: { unit: 'HOUR', value: 1, repeats: LIMITS.ownFetchesPerHourMax },
  }
  const request = await askConsent(tx, needs, {
    proposal: {
      purpose: { code: 'PATRQT' },
      patient: ask.patient,
      hiu: ask.app,
      careContexts: [],
      requester: { name: ask.name },
      hiTypes: typesOf(ask),
      permission,
    },
    requestId: 'own-copy',
  })
  if (isRefusal(request)) return request
  // A standing approval for the own app may have granted it already.
  const now = await requestOf(tx, ask.patient, request.id)
  if (!isRefusal(now) && now.status === 'GRANTED') return artefactsOfRequest(tx, ask.patient, request.id)
  const items = holders.map(
    ([hip, contexts]): GrantItem => ({
      hip,
      hiTypes: typesOf(ask),
      careContexts: contexts.slice(0, LIMITS.careContextsPerConsentMax),
      permission,
    }),
  )
  return grantConsent(tx, needs, { patient: ask.patient, request: request.id, items, actor: ask.actor })
}
