import { z } from 'zod'
import { ACCESS_TYPES } from '../audit/access.ts'
import { receiptsAbout } from '../audit/receipts.ts'
import { type AuditEvent, announce, record } from '../audit/record.ts'
import type { Tx } from '../db/tx.ts'
import { type Route, route } from '../http/route.ts'
import { type StaffCaller, staffActor } from '../kernel/caller.ts'
import type { FacilityId, Id } from '../kernel/id.ts'
import { LIMITS } from '../kernel/limits.ts'
import { refuse } from '../kernel/refusal.ts'

type Needs = { readonly facility: { readonly id: FacilityId } }

const TYPES = [...ACCESS_TYPES, 'hiu.view-denied'] as const
const search = z.object({
  /** As the facility knows the patient: her reference or her ABHA address. */
  patient: z.string().min(1).max(LIMITS.textCharsMax),
  from: z.iso.datetime({ offset: true }).optional(),
  until: z.iso.datetime({ offset: true }).optional(),
  before: z.uuid().optional(),
})
type Search = z.output<typeof search>

/** Who looked at a patient's records, or was denied it: one line for each look. */
export type LookLine = {
  readonly id: Id<'event'>
  readonly at: string
  readonly type: string
  readonly person?: { readonly name: string; readonly role: string }
  readonly purpose?: string
  /** The consent or other thing on which the look rested. */
  readonly ground?: string
  /** The row no longer opens: somebody changed it behind our back. */
  readonly changed?: true
}

/** For the data protection officer: accesses to one patient's records, newest first. Asking stands in that patient's log, too. */
export function accessLogRoutes(needs: Needs): readonly Route[] {
  return [
    route({
      dialect: 'native',
      auth: 'staff',
      act: 'access-log.see',
      method: 'GET',
      once: false,
      path: '/v1/desk/access-log',
      summary: 'Who looked at the records of a patient, newest first',
      query: search,
      answers: { 200: { description: 'Looks; with `next`, ask again with it as `before`' } },
      handle: async ({ tx, caller, query }) => {
        if (caller.kind !== 'staff') return refuse('auth/forbidden')
        const found = await findLooks(tx, query)
        await recordAsked(tx, needs, caller, query)
        return { status: 200, body: found }
      },
    }),
  ]
}

/** One page of looks at a patient's records, between two times. */
export async function findLooks(
  tx: Tx,
  { patient, from, until, before }: Search,
): Promise<{ readonly looks: readonly LookLine[]; readonly next?: Id<'event'> }> {
  const page = await receiptsAbout(tx, patient, {
    types: TYPES,
    limit: LIMITS.pageSizeMax,
    ...(before === undefined ? {} : { before: before as Id<'event'> }),
  })
  const looks = page.flatMap((one): LookLine[] => {
    if ('changed' in one) return [{ id: one.id, at: '', type: '', changed: true }]
    const at = new Date(one.at)
    const isWithin = (from === undefined || at >= new Date(from)) && (until === undefined || at < new Date(until))
    return isWithin ? [{ id: one.id, at: one.at, ...lineOf(one.event) }] : []
  })
  const last = page.at(-1)
  return page.length < LIMITS.pageSizeMax || last === undefined ? { looks } : { looks, next: last.id }
}

function lineOf(event: AuditEvent & { readonly purpose?: string }): Omit<LookLine, 'id' | 'at'> {
  const { type, actor, purpose, subject } = event
  const person = actor.kind === 'facility' ? actor.person : undefined
  return {
    type,
    ...(person === undefined ? {} : { person: { name: person.name, role: person.role } }),
    ...(purpose === undefined ? {} : { purpose }),
    ...(subject === undefined ? {} : { ground: subject }),
  }
}

async function recordAsked(tx: Tx, needs: Needs, staff: StaffCaller, query: Search): Promise<void> {
  const { patient, ...rest } = query
  const words = new URLSearchParams()
  for (const [name, value] of Object.entries(rest)) if (value !== undefined) words.append(name, value)
  const actor = staffActor(needs.facility.id, staff)
  await announce(tx, await record(tx, { type: 'log.read', actor, patient, query: `access-log?${words.toString()}` }))
}
