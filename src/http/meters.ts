import { Counter, Gauge, Histogram, type Registry } from 'prom-client'
import type { Caller } from '../kernel/caller.ts'
import type { ProblemCode } from '../kernel/problems.ts'
import type { Refusal } from '../kernel/refusal.ts'
import type { Door } from './door.ts'
import type { LiveStreams } from './live.ts'
import type { Route } from './route.ts'

/** A call that was refused, before its handler or by it. `caller`: as far as it was proved. */
export type RefusedCall = {
  readonly code: ProblemCode
  readonly route: string
  readonly trace: string
  readonly source: string
  readonly caller: Caller | undefined
}

/** What is counted at the door, for `/metrics`, and told to who watches refusals. */
export type Meters = {
  readonly took: Histogram
  readonly refused: (
    request: { readonly id: string; readonly ip: string },
    route: Pick<Route, 'method' | 'path'>,
    refusal: Refusal,
    caller: Caller | undefined,
  ) => void
}

export function makeMeters(
  registry: Registry,
  live: LiveStreams,
  door: Door,
  onRefused: ((call: RefusedCall) => void) | undefined,
): Meters {
  const refusals = new Counter({
    name: 'amanat_refusals_total',
    help: 'Refusals, by code',
    labelNames: ['code'],
    registers: [registry],
  })
  new Gauge({
    name: 'amanat_calls_in_flight',
    help: 'Calls that are being worked on',
    registers: [registry],
    collect() {
      this.set(door.inFlight())
    },
  })
  new Gauge({
    name: 'amanat_live_streams',
    help: 'Open connections for live updates',
    registers: [registry],
    collect() {
      this.set(live.count())
    },
  })
  return {
    took: new Histogram({
      name: 'amanat_http_seconds',
      help: 'Time to answer, by route and status',
      labelNames: ['method', 'route', 'status'],
      registers: [registry],
      buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    }),
    refused: ({ id, ip }, { method, path }, { code }, caller) => {
      refusals.inc({ code })
      onRefused?.({ code, route: `${method} ${path}`, trace: id, source: ip, caller })
    },
  }
}
