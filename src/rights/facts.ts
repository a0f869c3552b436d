import { receiptsAbout } from '../audit/receipts.ts'
import type { Artefact } from '../consent/consent.ts'
import { allowedBeforehand } from '../consent/policy-commands.ts'
import { noticesOf, sharedArtefactsOf } from '../consent/readers.ts'
import type { Tx } from '../db/tx.ts'
import { type AbhaAddress, type FacilityId, type Id } from '../kernel/id.ts'
import { LIMITS } from '../kernel/limits.ts'
import { isRefusal } from '../kernel/refusal.ts'
import { careContextsOf } from '../linking/link-commands.ts'
import { toldOfNews } from '../linking/stop-news-commands.ts'
import { facilityById } from '../partners/commands.ts'
import { transfersOf } from '../transfer/commands.ts'
import type { SharingFacts } from './sharing.ts'
import type { FacilityView, Proof } from './views.ts'

const PROVING = [
  'consent.granted',
  'consent.emergency-opened',
  'consent.revoked',
  'consent.expired',
  'consent.artefact-acknowledged',
  'consent.data-kept',
  'consent.data-erased',
  'transfer.requested',
  'transfer.acknowledged',
  'transfer.declined',
  'transfer.undelivered',
  'transfer.provider-reported',
  'transfer.recipient-reported',
] as const

/**
 * All that is known of this patient's sharing: every consent in force, and the newest that are over up to `LIMITS.sharingConsentsMax`, with
 * all that became of them.
 */
export async function readSharingFacts(tx: Tx, patient: AbhaAddress): Promise<SharingFacts> {
  const { live, ended } = await sharedArtefactsOf(tx, patient, LIMITS.sharingConsentsMax)
  const artefacts = [...live, ...ended].toSorted(newestFirst)
  const requests = [...new Set(artefacts.map(({ request }) => request))]
  const told = await inTurn(requests, (request) => noticesOf(tx, patient, request))
  const contexts = await careContextsOf(tx, patient)
  const transfers = await transfersOf(tx, patient, {
    consents: artefacts.map(({ id }) => id),
    limit: LIMITS.sharingTransfersMax,
  })
  const ids = new Set<FacilityId>([
    ...artefacts.flatMap(({ hip, hiu }) => [hip, hiu]),
    ...contexts.map(({ hip }) => hip),
  ])
  return {
    now: tx.now,
    artefacts,
    transfers,
    notices: told.flatMap((notices) => (isRefusal(notices) ? [] : notices)),
    contexts,
    facilities: withStanding(
      await facilityViews(tx, [...ids]),
      await allowedBeforehand(tx, patient),
      await toldOfNews(tx, patient),
    ),
    proofs: artefacts.length === 0 ? new Map() : await readProofs(tx, patient),
  }
}

/** What goes on by itself when one consent is stopped is said there. */
function withStanding(
  views: ReadonlyMap<string, FacilityView>,
  allowed: ReadonlySet<FacilityId>,
  told: ReadonlySet<FacilityId>,
): ReadonlyMap<string, FacilityView> {
  const marked = (view: FacilityView): FacilityView => ({
    ...view,
    ...(allowed.has(view.id as FacilityId) ? { isAllowedBeforehand: true as const } : {}),
    ...(told.has(view.id as FacilityId) ? { isToldOfNews: true as const } : {}),
  })
  return new Map([...views].map(([id, view]) => [id, marked(view)] as const))
}

const newestFirst = (a: Artefact, b: Artefact): number =>
  b.createdAt.getTime() - a.createdAt.getTime() || (a.id < b.id ? 1 : -1)

/** Names and kinds of facilities, as the register has them now. */
export async function facilityViews(tx: Tx, ids: readonly FacilityId[]): Promise<ReadonlyMap<string, FacilityView>> {
  const found = await inTurn(ids, (id) => facilityById(tx, id))
  return new Map(
    found.flatMap((facility) => {
      if (facility === undefined) return []
      const { id, name, facilityTypes: kinds, standing } = facility
      return [[id, { id, name, kinds, ...(standing === 'shut-out' ? { isShutOut: true as const } : {}) }] as const]
    }),
  )
}

/** One after the other: a transaction has one connection. */
async function inTurn<In, Out>(items: readonly In[], ask: (item: In) => Promise<Out>): Promise<readonly Out[]> {
  const answers: Out[] = []
  for (const item of items) answers.push(await ask(item))
  return answers
}

async function readProofs(tx: Tx, patient: AbhaAddress): Promise<ReadonlyMap<string, readonly Proof[]>> {
  const proofs = new Map<string, Proof[]>()
  let before: Id<'event'> | undefined
  for (let read = 0; read < LIMITS.sharingProofsMax; read += LIMITS.pageSizeMax) {
    const page = await receiptsAbout(tx, patient, {
      types: PROVING,
      limit: LIMITS.pageSizeMax,
      ...(before === undefined ? {} : { before }),
    })
    for (const told of page) {
      if ('changed' in told || told.event.subject === undefined) continue
      const facility = 'facility' in told.event ? String(told.event.facility) : undefined
      const proof = {
        event: told.id,
        type: told.event.type,
        at: told.at,
        ...(facility === undefined ? {} : { facility }),
      }
      proofs.set(told.event.subject, [...(proofs.get(told.event.subject) ?? []), proof])
    }
    before = page.at(-1)?.id
    if (page.length < LIMITS.pageSizeMax) break
  }
  return proofs
}
