import type { Tx } from '../db/tx.ts'
import type { ArtefactStatus } from '../hip/artefact.ts'
import { listArtefacts } from '../hip/artefact-commands.ts'
import { listServedRequests, readHeldArtefact, readServedPages } from '../hip/served.ts'
import type { Served } from '../hip/store-served.ts'
import { type Page, summarise } from '../hip/transfer.ts'
import type { AbhaAddress } from '../kernel/id.ts'
import { firstOf, firstWith } from '../kernel/list-place.ts'
import { isRefusal } from '../kernel/refusal.ts'
import { findPatients, type RecordsNeeds } from '../records/commands.ts'

type Whose = { readonly abhaAddress: string; readonly name?: string; readonly reference?: string }

/** A consent under which this facility shares, or shared. */
export type HeldConsent = {
  readonly consentId: string
  readonly status: ArtefactStatus
  readonly receivedAt: Date
  readonly endedAt?: Date
  readonly keepUntil?: Date
  /** Absent where only its end was told. */
  readonly patient?: Whose
  readonly receiver?: { readonly id: string; readonly name?: string }
  readonly purpose?: string
  readonly hiTypes?: readonly string[]
  readonly from?: Date
  readonly to?: Date
  readonly careContexts?: number
}

/** A page of consents held, latest first; `next` is where the following one begins. */
export async function listHeldConsents(
  tx: Tx,
  needs: RecordsNeeds,
  filter: {
    readonly before?: string | undefined
    readonly status?: ArtefactStatus | undefined
    readonly limit: number
  },
): Promise<{ readonly consents: readonly HeldConsent[]; readonly next?: string }> {
  const rows = await listArtefacts(tx, filter.before, filter.limit + 1, filter.status)
  const { items, ...more } = firstWith(rows, filter.limit, ({ consentId }) => consentId)
  const consents: HeldConsent[] = []
  for (const { consentId, status, receivedAt, endedAt, eraseAt, patient } of items) {
    consents.push({
      consentId,
      status,
      receivedAt,
      ...(endedAt === null ? {} : { endedAt }),
      ...(eraseAt === null ? {} : { keepUntil: eraseAt }),
      ...(patient === null ? {} : { patient: await whose(tx, needs, patient) }),
      ...(await termsOf(tx, consentId)),
    })
  }
  return { consents, ...more }
}

async function termsOf(
  tx: Tx,
  consentId: string,
): Promise<Pick<HeldConsent, 'receiver' | 'purpose' | 'hiTypes' | 'from' | 'to' | 'careContexts'>> {
  const held = await readHeldArtefact(tx, consentId)
  if (isRefusal(held) || held.detail === undefined) return {}
  const { hiu, purpose, hiTypes, permission, careContexts } = held.detail
  const name = hiu?.name ?? undefined
  return {
    ...(hiu === undefined || hiu === null ? {} : { receiver: { id: hiu.id, ...(name === undefined ? {} : { name }) } }),
    purpose: purpose.code,
    hiTypes,
    from: permission.dateRange.from,
    to: permission.dateRange.to,
    careContexts: careContexts.length,
  }
}

async function whose(tx: Tx, needs: RecordsNeeds, abhaAddress: string): Promise<Whose> {
  const [patient] = await findPatients(tx, needs, 'abha-address', abhaAddress as AbhaAddress)
  return { abhaAddress, ...(patient === undefined ? {} : { name: patient.name, reference: patient.reference }) }
}

/** A request that we served, with its documents: what became of each, and why. */
export type ServedRequest = Omit<Served, 'patient' | 'hiu' | 'omissions'> & {
  readonly patient: Whose
  readonly receiver: { readonly id: string; readonly name?: string }
  /** Why nothing, or not all, came of a care context. */
  readonly heldBack: readonly { readonly careContext: string; readonly why: string }[]
  readonly documents: readonly {
    readonly hiType: string
    readonly careContext: string
    readonly status: string
    readonly narrowed: boolean
    readonly why?: string
  }[]
}

/** A page of requests that we served, latest first; `next` is where the following one begins. */
export async function listServed(
  tx: Tx,
  needs: RecordsNeeds,
  filter: Parameters<typeof listServedRequests>[1],
): Promise<{ readonly requests: readonly ServedRequest[]; readonly next?: string }> {
  const { limit } = filter
  const found = await listServedRequests(tx, { ...filter, limit: limit + 1 })
  const { items, ...more } = firstOf(found, limit, ({ receivedAt, transactionId }) => {
    return { date: receivedAt, id: transactionId }
  })
  const requests: ServedRequest[] = []
  for (const served of items) {
    const { patient, hiu, omissions: _omissions, ...rest } = served
    const { receiver } = await termsOf(tx, served.consentId)
    const pages = await readServedPages(tx, served)
    requests.push({
      ...rest,
      patient: await whose(tx, needs, patient),
      receiver: receiver ?? { id: hiu },
      heldBack: served.status === 'ended' ? await heldBack(tx, served, pages) : [],
      documents: pages.map(({ hiType, careContextReference, status, narrowed, error }) => ({
        hiType,
        careContext: careContextReference,
        status,
        narrowed,
        ...(error === undefined ? {} : { why: error }),
      })),
    })
  }
  return { requests, ...more }
}

/** Care contexts of the consent of which not everything left, each with its reason: as the exchange was told. */
async function heldBack(tx: Tx, served: Served, pages: readonly Page[]): Promise<ServedRequest['heldBack']> {
  const held = await readHeldArtefact(tx, served.consentId)
  const contexts = isRefusal(held) ? [] : (held.detail?.careContexts ?? [])
  const references = contexts.map(({ careContextReference }) => careContextReference)
  return summarise(references, pages, served.omissions).contexts.flatMap(
    ({ careContextReference, hiStatus, description }) =>
      hiStatus === 'DELIVERED' ? [] : [{ careContext: careContextReference, why: description }],
  )
}
