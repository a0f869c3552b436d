import type pg from 'pg'

type Query = (...parts: unknown[]) => unknown
type Parts = readonly unknown[]

/** Marks a statement that only writes and whose outcome nobody looks at: a line of its own, a comment to the server. */
const POSTED = '-- posted\n'
const END = /^\s*(?:commit|rollback|end)\s*;?\s*$/i
const NOTHING = { command: '', rowCount: 0, rows: [], fields: [] } as const

/**
 * The text of a statement that goes out together with the one after it, at the latest with `commit`: nobody waits for it. When it
 * fails, that one fails with its error, and the transaction with both.
 */
export function posted(text: string): string {
  return POSTED + text
}

/**
 * A client that saves round trips: `begin` and what is {@link posted} are held until the next statement of the transaction and leave in
 * one packet with it. The server runs them in their order; after one that failed it runs nothing, and `commit` is a rollback.
 */
export function pipelinedClient(Base: typeof pg.Client): typeof pg.Client {
  return class extends Base {
    constructor(config?: string | pg.ClientConfig) {
      super({ ...(typeof config === 'string' ? { connectionString: config } : config), pipeline: true })
      const send = this.query.bind(this) as Query
      let held: Parts[] = []
      let isInside = false
      const query: Query = (...parts) => {
        const text = textOf(parts[0])
        if (isInside ? text.startsWith(POSTED) : text === 'begin') {
          isInside = true
          held.push(parts)
          return Promise.resolve(NOTHING)
        }
        if (END.test(text)) isInside = false
        if (held.length === 0) return send(...parts)
        const all = [...held, parts]
        held = []
        return allOf(together(this.connection.stream, all, send))
      }
      this.query = query as typeof this.query
    }
  }
}

function textOf(query: unknown): string {
  if (typeof query === 'string') return query
  return typeof query === 'object' && query !== null && 'text' in query ? String(query.text) : ''
}

function together(stream: { cork(): void; uncork(): void }, all: readonly Parts[], send: Query): readonly unknown[] {
  stream.cork()
  try {
    return all.map((parts) => send(...parts))
  } finally {
    stream.uncork()
  }
}

/** What the last answered, when none before it failed: theirs is the reason why it did. */
async function allOf(answers: readonly unknown[]): Promise<unknown> {
  const settled = await Promise.allSettled(answers)
  for (const each of settled) if (each.status === 'rejected') throw each.reason
  const last = settled.at(-1)
  return last?.status === 'fulfilled' ? last.value : undefined
}
