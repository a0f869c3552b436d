import type { Logger } from 'pino'
import { type Machine, type Tx, transact } from '../db/tx.ts'
import type { RefusedCall } from '../http/meters.ts'
import { callerName } from '../http/once.ts'
import type { Chore } from '../jobs/schedule.ts'
import type { Caller } from '../kernel/caller.ts'
import { LIMITS } from '../kernel/limits.ts'
import { PROBLEMS, type ProblemCode } from '../kernel/problems.ts'
import { type AuditEvent, announce, record } from './record.ts'

export const EVENTS = {
  'door.access-refused':
    'Within some minutes callers were refused who did not prove who they are, or may not do what they asked: how often, by code.',
  'door.input-refused':
    'Within some minutes calls were refused that are not of their form, or too many: how often, by code.',
} as const

type RefusalsEvent = AuditEvent & {
  readonly type: keyof typeof EVENTS
  readonly counts: readonly { readonly code: ProblemCode; readonly count: number }[]
}

/** Calls that were refused at the door: each a line in the program's log, up to a number a minute; all of them counted for our log. */
export type Refusals = { readonly note: (call: RefusedCall) => void; readonly chore: Chore }

const MINUTE_MS = 60_000

export function makeRefusals(machine: Machine, log: Logger): Refusals {
  const counts = new Map<ProblemCode, number>()
  const mayWrite = boundedPerMinute(machine)
  return {
    note: (call) => {
      const kind = kindOf(call.code)
      if (kind === undefined) return
      counts.set(call.code, (counts.get(call.code) ?? 0) + 1)
      if (kind !== 'door.access-refused') return
      const { allowed, left } = mayWrite()
      if (left > 0) log.warn({ count: left }, 'more refusals than were written down in the minute before')
      if (allowed) log.warn(lineOf(call), 'access refused')
    },
    chore: {
      name: 'refusals at the door',
      everyMs: LIMITS.refusalsRecordedEveryMs,
      run: async () => {
        const taken = [...counts]
        if (taken.length === 0) return
        await transact(machine, (tx) => recordRefusals(tx, taken))
        // Only now: what came meanwhile, or could not be recorded, stands in the next one.
        for (const [code, count] of taken) subtract(counts, code, count)
      },
    },
  }
}

function subtract(counts: Map<ProblemCode, number>, code: ProblemCode, count: number): void {
  const left = (counts.get(code) ?? 0) - count
  if (left > 0) counts.set(code, left)
  else counts.delete(code)
}

async function recordRefusals(tx: Tx, taken: readonly (readonly [ProblemCode, number])[]): Promise<void> {
  for (const type of ['door.access-refused', 'door.input-refused'] as const) {
    const counts = taken.filter(([code]) => kindOf(code) === type).map(([code, count]) => ({ code, count }))
    if (counts.length === 0) continue
    const actor = { kind: 'system', id: 'door' } as const
    await announce(tx, await record<RefusalsEvent>(tx, { type, actor, counts }))
  }
}

/** What the web apps hear every day, of whoever opens them or comes to a grave act. */
const ORDINARY = new Set<ProblemCode>(['auth/no-session', 'auth/step-up-needed'])

/** Refusals of the caller, and of what was sent; others say how things stand, and are recorded where they matter. */
function kindOf(code: ProblemCode): keyof typeof EVENTS | undefined {
  if (ORDINARY.has(code)) return undefined
  const { status } = PROBLEMS[code]
  if (status === 401 || status === 403) return 'door.access-refused'
  return code.startsWith('request/') && code !== 'request/not-found' ? 'door.input-refused' : undefined
}

/** How many lines may be written now; `left`: how many were not in the minute before. */
function boundedPerMinute({ now }: Pick<Machine, 'now'>): () => { readonly allowed: boolean; readonly left: number } {
  let minute = 0
  let written = 0
  return () => {
    const current = Math.floor(now().getTime() / MINUTE_MS)
    const left = current === minute ? 0 : Math.max(0, written - LIMITS.refusalsWrittenPerMinuteMax)
    written = current === minute ? written + 1 : 1
    minute = current
    return { allowed: written <= LIMITS.refusalsWrittenPerMinuteMax, left }
  }
}

/** Who is known by a proof is named, but patients only as such; who is not, by the address. */
function lineOf({ code, route, trace, source, caller }: RefusedCall): object {
  const isNamed = caller !== undefined && caller.kind !== 'anonymous'
  return { code, route, trace, ...(isNamed ? { caller: nameFor(caller) } : { source }) }
}

function nameFor(caller: Caller): string {
  return caller.kind === 'patient' ? caller.kind : callerName(caller)
}
