import { createHash } from 'node:crypto'
import type pg from 'pg'

/** A statement is prepared from so many uses on: what is asked once (a list of another length, a migration) is not kept by the server. */
const USES_BEFORE = 3
const TEXTS_COUNTED_MAX = 2_000
const TEXT_CHARS_MAX = 4_000
/** Statements that one connection keeps prepared; each holds some memory of the server. */
const PREPARED_MAX = 150

type Query = (...parts: unknown[]) => unknown

/**
 * A client that lets the server keep the plans of statements that come again: reading and planning them anew costs more than most of
 * them do. `select *` stays out: its kept plan would fail when a newer program adds a column meanwhile.
 */
export function preparedClient(Base: typeof pg.Client): typeof pg.Client {
  const uses = new Map<string, number>()
  const isFrequent = (text: string): boolean => {
    const count = (uses.get(text) ?? 0) + 1
    if (count > 1 || uses.size < TEXTS_COUNTED_MAX) uses.set(text, count)
    return count > USES_BEFORE
  }
  return class extends Base {
    constructor(config?: string | pg.ClientConfig) {
      super(config)
      const names = new Map<string, string>()
      const nameFor = (text: string): string | undefined => {
        if (text.length > TEXT_CHARS_MAX || text.includes('*') || !isFrequent(text)) return undefined
        const known = names.get(text)
        if (known !== undefined || names.size >= PREPARED_MAX) return known
        const name = `amanat_${createHash('sha256').update(text).digest('hex').slice(0, 24)}`
        names.set(text, name)
        return name
      }
      const send = this.query.bind(this) as Query
      const query: Query = (text, values, ...rest) => {
        const isPlain = typeof text === 'string' && Array.isArray(values) && values.length > 0
        const name = isPlain ? nameFor(text) : undefined
        return name === undefined ? send(text, values, ...rest) : send({ name, text, values }, ...rest)
      }
      this.query = query as typeof this.query
    }
  }
}
