import { createHash } from 'node:crypto'
import type { Caller } from '../kernel/caller.ts'
import { LIMITS } from '../kernel/limits.ts'
import { isRefusal, type Refusal, refuseFor, refuseOverloaded } from '../kernel/refusal.ts'
import { callerName } from './once.ts'
import { type Lane, makePressure } from './pressure.ts'
import { countedAddress, makeKnownCallers, makeRate } from './rates.ts'
import type { Route } from './route.ts'
import { isLoopback } from './web-origin.ts'

/** Calls a second that one caller, and one address that has not proved who calls, may make for long; five times as many at once. */
export type CallRates = { readonly caller: number; readonly address: number }

type Arriving = {
  readonly ip: string
  readonly headers: Readonly<Record<string, string | undefined>>
}

/** Where calls are turned away before they cost anything: decision 32. */
export type Door = {
  /** Before the body is read. Undefined lets in. */
  readonly turnAway: (call: Arriving, route: Route | undefined) => Refusal | undefined
  /** After the proof of identity: counts a failed one against its address, and a caller's first call against the caller. */
  readonly note: (call: Arriving, caller: Caller | Refusal) => Refusal | undefined
  /** Takes a place for a call whose body has come; a refusal when there is none. The function ends it. */
  readonly enter: (call: Arriving, route: Route) => (() => void) | Refusal
  readonly inFlight: () => number
  readonly close: () => void
}

const SECONDS_OF_BURST = 5

export function makeDoor(rates: CallRates, nowMs: () => number): Door {
  const rateOf = (perSecond: number) =>
    makeRate({ perSecond, burst: perSecond * SECONDS_OF_BURST, keysMax: LIMITS.countedCallersMax }, nowMs)
  const callers = rateOf(rates.caller)
  const addresses = rateOf(rates.address)
  const known = makeKnownCallers({ keptMs: LIMITS.knownCallerKeptMs, namesMax: LIMITS.countedCallersMax }, nowMs)
  const pressure = makePressure(nowMs)
  const nameOf = (call: Arriving): string | undefined => {
    const proof = proofOf(call.headers)
    return proof === undefined ? undefined : known.nameOf(proof)
  }
  const laneOf = (call: Arriving, route: Route | undefined): Lane =>
    route !== undefined && (isOfTheLog(route) || nameOf(call)?.startsWith('operator:')) ? 'reserved' : 'ordinary'
  const full = (lane: Lane): Refusal | undefined =>
    pressure.isFull(lane) ? refuseOverloaded(LIMITS.retryAfterOverloadMs) : undefined
  return {
    turnAway: (call, route) => {
      const crowded = full(laneOf(call, route))
      if (crowded) return crowded
      if (route === undefined || isOfTheLog(route)) return undefined
      const name = nameOf(call)
      if (name !== undefined) return tooMany(callers.take(name))
      const address = addressOf(call)
      if (address === undefined) return undefined
      return tooMany(route.auth === 'none' ? addresses.take(address) : addresses.waitMs(address))
    },
    note: (call, caller) => {
      if (isRefusal(caller)) {
        const address = addressOf(call)
        if (address !== undefined) addresses.charge(address)
        return undefined
      }
      const proof = proofOf(call.headers)
      if (caller.kind === 'anonymous' || proof === undefined) return undefined
      const name = callerName(caller)
      // One who was known was counted at the door.
      const wait = known.nameOf(proof) === name ? 0 : callers.take(name)
      known.remember(proof, name)
      return tooMany(wait)
    },
    enter: (call, route) => {
      const lane = laneOf(call, route)
      return full(lane) ?? pressure.enter(lane)
    },
    inFlight: pressure.inFlight,
    close: pressure.close,
  }
}

/** This machine itself is a proxy that the settings do not name: behind it is everybody, so it is not counted. */
function addressOf({ ip }: Arriving): string | undefined {
  const address = countedAddress(ip)
  return isLoopback(address) || ip === '::1' ? undefined : address
}

function tooMany(waitMs: number): Refusal | undefined {
  return waitMs === 0 ? undefined : refuseFor(waitMs, 'You call more often than this party answers one caller.')
}

/** Anybody must be able to check the log and to witness it, whatever else goes on. */
const isOfTheLog = ({ path }: Route): boolean => path.startsWith('/log/') || path.startsWith('/witness/')

/** All that proves who calls, as one digest: no secret is kept. */
function proofOf({ authorization, 'x-auth-token': token, cookie }: Arriving['headers']): string | undefined {
  if (authorization === undefined && token === undefined && cookie === undefined) return undefined
  const hash = createHash('sha256')
  for (const part of [authorization, token, cookie]) hash.update(part ?? '').update('\n')
  return hash.digest('base64')
}
