import { collectDefaultMetrics, Registry } from 'prom-client'

let ofProcess: Registry | undefined

/**
 * A registry that tells Prometheus of this process: processor, memory, event loop, collector. Each party adds its own to one of these, and
 * all share what is measured: it is watched until the process ends, and would keep every party that was ever stopped.
 */
export function withProcessMetrics(): Registry {
  if (ofProcess === undefined) {
    ofProcess = new Registry()
    collectDefaultMetrics({ register: ofProcess, prefix: 'amanat_' })
  }
  return Registry.merge([ofProcess])
}
