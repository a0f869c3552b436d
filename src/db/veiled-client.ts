import pg from 'pg'
import type { Veil } from './veil.ts'

type Query = (...parts: unknown[]) => unknown

/**
 * A client of PostgreSQL whose parameters go through the veil, also those in arrays: here, below every query builder and store, so that
 * none can forget it. What comes back is read by `value-types.ts`.
 */
export function veiledClient(veil: Veil): typeof pg.Client {
  const cover = (value: unknown): unknown => {
    if (typeof value === 'string') return veil.cover(value)
    return Array.isArray(value) ? value.map(cover) : value
  }
  // `query(text, values)`: values are the only array among the parts.
  const coverList = (part: unknown): unknown => (Array.isArray(part) ? part.map(cover) : part)
  const coverConfig = (config: unknown): unknown => {
    if (typeof config !== 'object' || config === null || !('values' in config)) return config
    // A cursor or another object with a life of its own would escape us: there is none here, and there shall be none.
    if ('submit' in config) throw new TypeError('only plain queries may be sent: their parameters go through the veil')
    return { ...config, values: coverList(config.values) }
  }
  return class extends pg.Client {
    constructor(config?: string | pg.ClientConfig) {
      super(config)
      const send = this.query.bind(this) as Query
      const query: Query = (text, ...rest) => send(coverConfig(text), ...rest.map(coverList))
      this.query = query as typeof this.query
    }
  }
}
