import { z } from 'zod'
import { readLogState } from '../audit/state.ts'
import { countRequests } from '../consent/counts.ts'
import type { Tx } from '../db/tx.ts'
import { webOriginsOf } from '../http/web-origin.ts'
import { parseFacilityId } from '../kernel/id.ts'
import { countCareContexts } from '../linking/counts.ts'
import type { Facility } from '../partners/bridge.ts'
import { facilityById, listFacilities } from '../partners/commands.ts'
import { countFacilities } from '../partners/counts.ts'
import { countPatients } from '../people/counts.ts'
import { countDataRequests } from '../transfer/counts.ts'
import { PARTY_STATES, type PartyState } from './watch.ts'

export const PARTY_KINDS = [
  'exchange',
  'hospital',
  'clinic',
  'laboratory',
  'pharmacy',
  'insurer',
  'app',
  'locker',
  'facility',
] as const
export type PartyKind = (typeof PARTY_KINDS)[number]

const count = z.number().int()

/** What the front page shows, as `GET /v1/sandbox/network` gives it to programs. Nothing about any one patient. */
export const networkView = z
  .object({
    at: z.iso.datetime(),
    parties: z.array(
      z.object({
        id: z.string(),
        name: z.string(),
        kind: z.enum(PARTY_KINDS),
        url: z.string(),
        state: z.enum(PARTY_STATES),
        /** Where people open its app: the patient app of the exchange, the desk of a facility of ours. */
        app: z.string().optional(),
      }),
    ),
    /** How many more take part. */
    unlisted: count,
    /** The sandbox console, where it is served. */
    console: z.string().optional(),
    patients: count,
    careContexts: count,
    consentRequests: z.object({ REQUESTED: count, GRANTED: count, DENIED: count, REVOKED: count, EXPIRED: count }),
    dataRequests: z.object({ delivered: count, underWay: count, failed: count }),
    log: z.object({ entries: count, signedAt: z.iso.datetime().optional(), cosignedBy: count, witnesses: count }),
  })
  .meta({ id: 'SandboxNetwork' })
export type NetworkView = z.output<typeof networkView>

export type ViewNeeds = {
  readonly exchange: { readonly id: string; readonly name: string }
  readonly publicUrl: string
  readonly ownLog: { readonly witnesses: readonly unknown[] }
  readonly watch: { readonly states: () => ReadonlyMap<string, PartyState> }
  /** What people may open: the console, and the desks of these facilities. */
  readonly doors: { readonly console: boolean; readonly desks: readonly string[] }
}

/** The parties as last heard of, and what the exchange has counted. */
export async function readNetwork(tx: Tx, needs: ViewNeeds): Promise<NetworkView> {
  const states = needs.watch.states()
  const shown = await shownFacilities(tx, needs.doors.desks)
  const facilities = shown.map((facility) => ({
    id: facility.id,
    name: facility.name,
    kind: kindOf(facility),
    url: facility.bridge.url,
    state: states.get(facility.bridge.clientId) ?? ('unknown' as const),
    ...(needs.doors.desks.includes(facility.id) ? { app: `${byName(facility.bridge.url)}/desk` } : {}),
  }))
  const log = await readLogState(tx.db)
  return {
    at: tx.now.toISOString(),
    parties: [
      // It gives this answer: it runs.
      {
        id: needs.exchange.id,
        name: needs.exchange.name,
        kind: 'exchange',
        url: needs.publicUrl,
        state: 'up',
        app: `${byName(needs.publicUrl)}/me`,
      },
      ...facilities.toSorted((a, b) => a.url.localeCompare(b.url, 'en', { numeric: true })),
    ],
    unlisted: Math.max(0, (await countFacilities(tx)) - facilities.length),
    ...(needs.doors.console ? { console: `${byName(needs.publicUrl)}/sandbox` } : {}),
    patients: await countPatients(tx),
    careContexts: await countCareContexts(tx),
    consentRequests: await countRequests(tx),
    dataRequests: await countDataRequests(tx),
    log: {
      entries: log.size,
      ...(log.signedAt === undefined ? {} : { signedAt: log.signedAt.toISOString() }),
      cosignedBy: log.cosignedBy,
      witnesses: needs.ownLog.witnesses.length,
    },
  }
}

/** Facilities whose desks stand open here are shown however many others there are. */
async function shownFacilities(tx: Tx, desks: readonly string[]): Promise<readonly Facility[]> {
  const all = new Map((await listFacilities(tx)).map((one) => [one.id, one]))
  for (const id of desks.flatMap((text) => parseFacilityId(text) ?? [])) {
    const own = await facilityById(tx, id)
    if (own?.status === 'active') all.set(id, own)
  }
  return [...all.values()]
}

/** Passkeys need a name: people open what runs on this machine as localhost. */
const byName = (url: string): string => webOriginsOf(url).at(-1) ?? url

const KIND_WORDS: readonly (readonly [RegExp, PartyKind])[] = [
  [/hospital/i, 'hospital'],
  [/clinic|medical cent(?:re|er)/i, 'clinic'],
  [/lab|diagnostic|imaging/i, 'laboratory'],
  [/pharmac/i, 'pharmacy'],
  [/insur|payer|tpa/i, 'insurer'],
]

/** The facility registry's word for it, else what its role says. */
function kindOf({ facilityTypes, roles }: Facility): PartyKind {
  const said = facilityTypes.join(' ')
  const known = KIND_WORDS.find(([pattern]) => pattern.test(said))?.[1]
  if (known !== undefined) return known
  if (roles.includes('phr')) return 'app'
  return roles.includes('health-locker') ? 'locker' : 'facility'
}
