import pg from 'pg'
import type { Pseudonyms } from './pseudonyms.ts'

type Query = (...parts: unknown[]) => unknown

/**
 * A client of PostgreSQL through which no patient's address leaves: each parameter that is one, or an array with some, goes as its
 * pseudonym. Here, below every query builder and store, so that none can forget it. What comes back is read by `value-types.ts`.
 */
export function hidingClient(pseudonyms: Pseudonyms): typeof pg.Client {
  const hide = (value: unknown): unknown => {
    if (typeof value === 'string') return pseudonyms.hide(value)
    return Array.isArray(value) ? value.map(hide) : value
  }
  return class extends pg.Client {
    constructor(config?: string | pg.ClientConfig) {
      super(config)
      const send = this.query.bind(this) as Query
      const query: Query = (text, ...rest) =>
        send(hideInConfig(text, hide), ...rest.map((part) => hideList(part, hide)))
      this.query = query as typeof this.query
    }
  }
}

/** `query(text, values)`: values are the only array among the parts. */
function hideList(part: unknown, hide: (value: unknown) => unknown): unknown {
  return Array.isArray(part) ? part.map(hide) : part
}

/** `query({ text, values })` */
function hideInConfig(config: unknown, hide: (value: unknown) => unknown): unknown {
  if (typeof config !== 'object' || config === null || !('values' in config)) return config
  // A cursor or another object with a life of its own would escape us: there is none here, and there shall be none.
  if ('submit' in config) throw new TypeError('only plain queries may be sent: their parameters are hidden')
  return { ...config, values: hideList(config.values, hide) }
}
