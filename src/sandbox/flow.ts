import type { z } from 'zod'
import { threadOf } from './chain.ts'
import type { deliveryLog } from './messages.ts'

/** One side of a message as a party's delivery log answers it (`GET /v1/messages`). */
export type Written = z.output<typeof deliveryLog>[number]

/** One message between two parties, with both sides where both are known. */
export type FlowMessage = {
  /** Of the side that was seen first: stays the same when the other one comes. */
  readonly id: string
  /** Grows with every change of any message: readers go on after the last they saw. */
  readonly revision: number
  readonly at: string
  readonly from: string
  readonly to: string
  readonly method: string
  readonly path: string
  readonly requestId?: string
  /** What the sender heard; where only the receiver is ours, what it answered. */
  readonly status?: number
  readonly error?: string
  /** What the receiver answered, when the sender heard something else, or nothing. */
  readonly answered?: number
  readonly tookMs: number
  readonly job?: string
  readonly attempt?: number
  readonly replayOf?: string
  readonly sent?: Side
  readonly received?: Side
  readonly ids: readonly string[]
  readonly patients: readonly string[]
}
type Side = { readonly party: string; readonly message: string }

/** Who stands where: lanes of a diagram. `url` finds who is meant by the address of a push. */
export type Lane = {
  readonly id: string
  readonly name: string
  readonly kind: 'exchange' | 'facility' | 'patients' | 'outside'
  readonly url?: string
  readonly clientId?: string
  /** A facility of the sample network, which the console can break and mend. */
  readonly isSteered?: boolean
  /** When an operator shut it out: it takes no part any more, its messages of before are still there. */
  readonly shutOutAt?: Date
}
export const PATIENTS = 'patients'
export const OUTSIDE = 'outside'

export type Flow = {
  /** Takes what a party wrote down, in any order, again and again; true when something is new. */
  readonly add: (party: string, lanes: readonly Lane[], written: readonly Written[]) => boolean
  /** What changed after a revision, in the order of time. */
  readonly after: (revision: number) => readonly FlowMessage[]
  readonly revision: () => number
}

type Half = {
  readonly party: string
  readonly written: Written
  readonly from: string
  readonly to: string
  readonly key: string
}

const SKEW_MS = 500
/** How long a half without its other is kept for pairing. */
const HALVES_MAX = 500

/** Puts the sending and the receiving side of each message together, so that it shows once. Keeps the newest `max` in memory. */
export function makeFlow(max: number): Flow {
  const seen = new Set<string>()
  const messages = new Map<string, FlowMessage>()
  const single = new Map<string, Half>()
  let revision = 0
  const put = (message: Omit<FlowMessage, 'revision'>): void => {
    messages.set(message.id, { ...message, revision: ++revision })
  }
  const take = (half: Half): void => {
    const other = [...single.entries()]
      .filter(([, one]) => isOther(one, half))
      .toSorted(([, a], [, b]) => gap(a, half) - gap(b, half))[0]
    if (other === undefined) {
      single.set(half.written.id, half)
      put(oneSided(half))
      return
    }
    const [id, first] = other
    single.delete(id)
    put(bothSided(id, first, half))
  }
  const forget = (): void => {
    for (const id of [...single.keys()].slice(0, Math.max(0, single.size - HALVES_MAX))) single.delete(id)
    for (const id of [...messages.keys()].slice(0, Math.max(0, messages.size - max))) messages.delete(id)
    for (const id of [...seen].slice(0, Math.max(0, seen.size - 4 * max))) seen.delete(id)
  }
  return {
    add: (party, lanes, written) => {
      const before = revision
      for (const one of written.filter(({ id }) => !seen.has(id))) {
        seen.add(one.id)
        take(halfOf(party, lanes, one))
      }
      forget()
      return revision > before
    },
    after: (known) =>
      [...messages.values()].filter((one) => one.revision > known).toSorted((a, b) => (a.at < b.at ? -1 : 1)),
    revision: () => revision,
  }
}

/** ABDM's paths at an exchange stand below `/api/hiecm`, which a sender does not write. */
const shortPath = (path: string): string => path.replace(/^\/api\/hiecm(?=\/)/, '')

function halfOf(party: string, lanes: readonly Lane[], written: Written): Half {
  const peer = laneOf(lanes, written)
  const [from, to] = written.direction === 'out' ? [party, peer] : [peer, party]
  return {
    party,
    written,
    from,
    to,
    key: `${to} ${shortPath(written.path)} ${written.requestId ?? pageOf(written.body)}`,
  }
}

/** A push has no REQUEST-ID: its transaction and page tell which it is. */
function pageOf(body: unknown): string {
  if (typeof body !== 'object' || body === null) return ''
  const { transactionId, pageNumber } = body as Readonly<Record<string, unknown>>
  return `${String(transactionId)} ${String(pageNumber)}`
}

function laneOf(lanes: readonly Lane[], { peer, direction, body, path }: Written): string {
  const exchange = lanes.find((lane) => lane.kind === 'exchange')
  if (peer === 'exchange' && exchange !== undefined) return exchange.id
  const known = lanes.find((lane) => lane.id === peer || lane.clientId === peer || hostOf(lane.url) === peer)
  if (known !== undefined) return known.id
  if (direction === 'in' && peer.includes('@')) return PATIENTS
  // Who asks for a session names itself in the body.
  const clientId = typeof body === 'object' && body !== null && 'clientId' in body ? body.clientId : undefined
  const asking = path.endsWith('/sessions') ? lanes.find((lane) => lane.clientId === clientId) : undefined
  return asking?.id ?? OUTSIDE
}

const hostOf = (url: string | undefined): string | undefined =>
  url !== undefined && URL.canParse(url) ? new URL(url).host : undefined

function isOther(one: Half, other: Half): boolean {
  if (one.key !== other.key || one.written.direction === other.written.direction) return false
  const [sent, received] = sides(one, other)
  if (received.from !== OUTSIDE && received.from !== sent.from) return false
  const { sentAt } = received.written
  // Each try has a TIMESTAMP of its own; without one, the time must do.
  if (sentAt !== undefined && sent.written.requestId !== undefined)
    return Date.parse(sentAt) === Date.parse(sent.written.at)
  const began = Date.parse(received.written.at) - Date.parse(sent.written.at)
  return began >= -SKEW_MS && began <= sent.written.tookMs + SKEW_MS
}

const sides = (one: Half, other: Half): readonly [sent: Half, received: Half] =>
  one.written.direction === 'out' ? [one, other] : [other, one]
const gap = (one: Half, other: Half): number => Math.abs(Date.parse(one.written.at) - Date.parse(other.written.at))

function oneSided(half: Half): Omit<FlowMessage, 'revision'> {
  const { written, party, from, to } = half
  const { id, at, method, requestId, status, error, tookMs, job, attempt, replayOf } = written
  const side = { party, message: id }
  return {
    id,
    at,
    from,
    to,
    method,
    path: shortPath(written.path),
    tookMs,
    ...(requestId === undefined ? {} : { requestId }),
    ...(status === undefined ? {} : { status }),
    ...(error === undefined ? {} : { error }),
    ...(job === undefined ? {} : { job }),
    ...(attempt === undefined ? {} : { attempt }),
    ...(replayOf === undefined ? {} : { replayOf }),
    ...(written.direction === 'out' ? { sent: side } : { received: side }),
    ...threadOf(written),
  }
}

function bothSided(id: string, one: Half, other: Half): Omit<FlowMessage, 'revision'> {
  const [sent, received] = sides(one, other)
  const asSent = oneSided(sent)
  const asReceived = oneSided(received)
  const heard = received.written.status
  return {
    ...asSent,
    id,
    ...(heard === undefined || heard === sent.written.status ? {} : { answered: heard }),
    received: { party: received.party, message: received.written.id },
    ids: [...new Set([...asSent.ids, ...asReceived.ids])],
    patients: [...new Set([...asSent.patients, ...asReceived.patients])],
  }
}
