import { receiptsAbout } from '../audit/receipts.ts'
import { wirePermission } from '../consent/artefact.ts'
import type { ConsentRequest, RequestStatus, WirePermission } from '../consent/consent.ts'
import type { GrantedEvent } from '../consent/events.ts'
import { artefactsOf, artefactsOfRequest } from '../consent/readers.ts'
import { isSame } from '../consent/rules.ts'
import type { Tx } from '../db/tx.ts'
import type { HiType } from '../fhir/hi-type.ts'
import { bucketOf } from '../kernel/bucket.ts'
import { type FacilityId, makeId } from '../kernel/id.ts'
import { LIMITS } from '../kernel/limits.ts'
import { isRefusal } from '../kernel/refusal.ts'
import type { CareContext } from '../linking/care-context.ts'
import { dayInDisplay } from '../linking/display-day.ts'
import { careContextsOf } from '../linking/link-commands.ts'
import { type Facility, isHip, isHiu } from '../partners/bridge.ts'
import { facilityById } from '../partners/commands.ts'

/** Who asks, as the register and the request name them. */
export type AskerView = {
  readonly id: string
  readonly name: string
  /** Words of the facility registry: `Hospital`. */
  readonly kinds: readonly string[]
  readonly isGovernment: boolean
  /** In the register of this network, confirmed by an operator, and taking part now. */
  readonly isRegistered: boolean
  readonly standing: Facility['standing']
  readonly person: { readonly name: string; readonly registration?: string; readonly register?: string }
}

/** One row of the inbox: the facts of one sentence. */
export type RequestRow = {
  readonly id: string
  readonly status: RequestStatus
  readonly asker: AskerView
  readonly purpose: string
  readonly hiTypes: readonly HiType[]
  readonly hip?: Named
  readonly createdAt: string
  readonly decideBy: string
  /** When it took its present status. */
  readonly changedAt: string
  /** A standing choice decided, in place of the person. */
  readonly byPolicy: boolean
}

export type Named = { readonly id: string; readonly name: string }

/** One visit or report that lies within what was asked. `day` is known only where its name says it: ABDM sends no date. */
export type ContextView = {
  readonly patientReference: string
  readonly careContextReference: string
  readonly display: string
  readonly hiTypes: readonly HiType[]
  readonly day?: string
  readonly linkedAt: string
  /** Whether the day lies in the range that was asked for; true when the day is not known. */
  readonly isInRange: boolean
}

export type ProviderView = Named & {
  /** Whether it takes part now: nothing can be allowed of one that does not. */
  readonly isActive: boolean
  readonly contexts: readonly ContextView[]
}

/** Everything for the decision about one request. */
export type RequestView = RequestRow & {
  readonly permission: WirePermission
  /** Visits or reports within the range, by kind: "Prescriptions · 7". */
  readonly counts: Readonly<Partial<Record<HiType, number>>>
  readonly providers: readonly ProviderView[]
  /** What this asker may see already. */
  readonly others: readonly OtherConsent[]
  readonly decided?: DecidedView
}

export type OtherConsent = {
  readonly request: string
  readonly hip: Named
  readonly hiTypes: readonly HiType[]
  readonly until: string
}

export type DecidedView = {
  readonly at: string
  readonly outcome: Exclude<RequestStatus, 'REQUESTED'>
  /** The guardian who decided for a child. */
  readonly guardian?: string
  readonly reason?: string
  /** The event in the log, whose receipt proves it. */
  readonly event?: string
  readonly notice?: string
  /** What was allowed, one for each provider. */
  readonly consents: readonly {
    readonly id: string
    readonly hip: Named
    readonly hiTypes: readonly HiType[]
    readonly careContexts: number
    readonly from: string
    readonly to: string
    readonly until: string
  }[]
}

export async function viewRow(tx: Tx, request: ConsentRequest): Promise<RequestRow> {
  const { asked } = request
  // One whose time is over is shown so at once; the sweep that ends it comes within a minute.
  const isOver = request.status === 'REQUESTED' && request.decideBy <= tx.now
  return {
    id: request.id,
    status: isOver ? 'EXPIRED' : request.status,
    asker: await viewAsker(tx, asked),
    purpose: asked.purpose.code,
    hiTypes: asked.hiTypes,
    ...(asked.hip === undefined ? {} : { hip: await named(tx, asked.hip) }),
    createdAt: request.createdAt.toISOString(),
    decideBy: request.decideBy.toISOString(),
    changedAt: (isOver ? request.decideBy : request.changedAt).toISOString(),
    byPolicy: 'policy' in request && request.policy !== undefined,
  }
}

async function viewAsker(tx: Tx, { hiu, requester }: ConsentRequest['asked']): Promise<AskerView> {
  const facility = await facilityById(tx, hiu)
  const { identifier } = requester
  return {
    id: hiu,
    name: facility?.name ?? hiu,
    kinds: facility?.facilityTypes ?? [],
    isGovernment: facility?.isGovernment ?? false,
    isRegistered: facility !== undefined && isHiu(facility) && facility.standing === 'confirmed',
    standing: facility?.standing ?? 'unconfirmed',
    person: {
      name: requester.name,
      ...(identifier === undefined ? {} : { registration: identifier.value }),
      ...(identifier?.system === undefined ? {} : { register: identifier.system }),
    },
  }
}

/** A facility with its name; its id where it is known no more. */
export async function named(tx: Tx, id: FacilityId): Promise<Named> {
  return { id, name: (await facilityById(tx, id))?.name ?? id }
}

export async function viewRequest(tx: Tx, request: ConsentRequest): Promise<RequestView> {
  const row = await viewRow(tx, request)
  const providers = await viewProviders(tx, request)
  const decided = row.status === 'REQUESTED' ? undefined : await viewDecision(tx, request, row)
  return {
    ...row,
    permission: wirePermission(request.asked.permission),
    counts: countTypes(request.asked.hiTypes, providers),
    providers,
    others: await othersOf(tx, request),
    ...(decided === undefined ? {} : { decided }),
  }
}

/** The patient's linked care contexts that hold something asked for, by provider. */
async function viewProviders(tx: Tx, { asked }: ConsentRequest): Promise<readonly ProviderView[]> {
  const wanted = (await careContextsOf(tx, asked.patient, asked.hip)).filter(
    (context) =>
      asked.hiTypes.includes(context.hiType) &&
      (asked.careContexts.length === 0 || asked.careContexts.some((other) => isSame(other, context))),
  )
  const providers: ProviderView[] = []
  for (const [hip, contexts] of Map.groupBy(wanted, (context) => context.hip)) {
    const facility = await facilityById(tx, hip)
    providers.push({
      id: hip,
      name: facility?.name ?? hip,
      isActive: facility !== undefined && isHip(facility),
      contexts: viewContexts(contexts, asked.permission.dateRange),
    })
  }
  return providers
}

function viewContexts(
  contexts: readonly CareContext[],
  range: { readonly from: Date; readonly to: Date },
): readonly ContextView[] {
  const byReference = Map.groupBy(contexts, ({ patientReference, careContextReference }) =>
    JSON.stringify([patientReference, careContextReference]),
  )
  return [...byReference.values()]
    .flatMap((group): ContextView[] => {
      const [first] = group
      if (first === undefined) return []
      const day = dayInDisplay(first.display)
      return [
        {
          patientReference: first.patientReference,
          careContextReference: first.careContextReference,
          display: first.display,
          hiTypes: group.map(({ hiType }) => hiType),
          ...(day === undefined ? {} : { day }),
          linkedAt: first.linkedAt.toISOString(),
          isInRange: day === undefined || (indianDay(range.from) <= day && day <= indianDay(range.to)),
        },
      ]
    })
    .toSorted((a, b) => (b.day ?? '').localeCompare(a.day ?? '') || a.display.localeCompare(b.display))
}

const INDIA_OFFSET_MS = 5.5 * 3_600_000

/** The day in India, `YYYY-MM-DD`: what a display means by a day. */
function indianDay(at: Date): string {
  return new Date(at.getTime() + INDIA_OFFSET_MS).toISOString().slice(0, 10)
}

function countTypes(
  types: readonly HiType[],
  providers: readonly ProviderView[],
): Readonly<Partial<Record<HiType, number>>> {
  const inRange = providers.flatMap(({ contexts }) => contexts.filter(({ isInRange }) => isInRange))
  return Object.fromEntries(types.map((type) => [type, inRange.filter(({ hiTypes }) => hiTypes.includes(type)).length]))
}

async function othersOf(tx: Tx, { id, asked }: ConsentRequest): Promise<readonly OtherConsent[]> {
  const page = { limit: LIMITS.pageSizeMax, offset: 0 }
  const live = await artefactsOf(tx, asked.patient, { status: 'GRANTED', page })
  return live.items
    .filter((artefact) => artefact.hiu === asked.hiu && artefact.request !== id && artefact.dataEraseAt > tx.now)
    .map(({ request, detail, dataEraseAt }) => ({
      request,
      hip: detail.hip,
      hiTypes: detail.hiTypes,
      until: dataEraseAt.toISOString(),
    }))
}

async function viewDecision(tx: Tx, request: ConsentRequest, row: RequestRow): Promise<DecidedView> {
  const event = await decisionEvent(tx, request)
  const status = row.status === 'REQUESTED' ? 'EXPIRED' : row.status
  return {
    outcome: status,
    at: event?.at ?? row.changedAt,
    ...(event?.guardian === undefined ? {} : { guardian: event.guardian }),
    ...(event === undefined ? {} : { event: event.id }),
    ...(event?.notice === undefined ? {} : { notice: event.notice }),
    ...(request.status === 'DENIED' && request.reason !== '' ? { reason: request.reason } : {}),
    consents: await consentsOf(tx, request),
  }
}

async function consentsOf(tx: Tx, request: ConsentRequest): Promise<DecidedView['consents']> {
  const found = await artefactsOfRequest(tx, request.asked.patient, request.id)
  if (isRefusal(found)) return []
  return found.map(({ id, detail }) => ({
    id,
    hip: detail.hip,
    hiTypes: detail.hiTypes,
    careContexts: detail.careContexts.length,
    from: detail.permission.dateRange.from,
    to: detail.permission.dateRange.to,
    until: detail.permission.dataEraseAt,
  }))
}

/** Events of one patient that may come within one millisecond. */
const AT_ONCE = 20

/** The event of the decision, from the log: who decided, after which notice. Ids of events go by time, so it is found however old it is. */
async function decisionEvent(tx: Tx, request: ConsentRequest) {
  const { patient } = request.asked
  const artefacts = await artefactsOfRequest(tx, patient, request.id)
  const [granted] = isRefusal(artefacts) ? [] : artefacts
  const nextMs = new Date((granted?.createdAt ?? request.changedAt).getTime() + 1)
  const events = await receiptsAbout(tx, patient, {
    limit: AT_ONCE,
    types: ['consent.granted', 'consent.denied'],
    before: makeId<'event'>(nextMs, (bytes) => new Uint8Array(bytes), bucketOf(patient)),
  })
  const found = events.find((each) => 'event' in each && each.event.subject === request.id)
  if (found === undefined || !('event' in found)) return undefined
  const { actor } = found.event
  const notice = 'notice' in found.event ? (found.event as GrantedEvent).notice?.id : undefined
  return {
    id: found.id,
    at: found.at,
    guardian: actor.kind === 'patient' ? actor.guardian : undefined,
    notice,
  }
}
