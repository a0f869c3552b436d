import { Counter, Gauge, Histogram, type Registry } from 'prom-client'
import type { Door } from './door.ts'
import type { LiveStreams } from './live.ts'

/** What is counted at the door, for `/metrics`. */
export type Meters = { readonly took: Histogram; readonly refused: Counter }

export function makeMeters(registry: Registry, live: LiveStreams, door: Door): Meters {
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
    refused: new Counter({
      name: 'amanat_refusals_total',
      help: 'Refusals, by code',
      labelNames: ['code'],
      registers: [registry],
    }),
  }
}
