import type { Tamper } from './faulty-database.ts'
import type { World } from './world.ts'

/** A law that nothing can break proves nothing: one way in which the product is broken on purpose, and how the simulation must notice it. */
export type Mutation = {
  readonly name: string
  /** Breaks what is between a party and its database; made anew for each run. */
  readonly tamper?: () => Tamper
  /** Breaks something else; what it returns mends it. */
  readonly cheat?: (world: World) => () => void
  readonly noticed: RegExp
  /** A seed that noticed it: tried before the others, for quickness. */
  readonly near: number
}

export type Row = Readonly<Record<string, unknown>>
const done = { command: 'UPDATE', rowCount: 1, rows: [] }

export const isWrite = (statement: string, verb: string, table: string): boolean =>
  new RegExp(`^\\s*${verb}\\s+(?:into\\s+|from\\s+)?"?${table}"?\\b`, 'i').test(statement)

/** Such a statement seems to be done. */
export const skip =
  (verb: string, table: string): Tamper =>
  async (statement, go) =>
    isWrite(statement, verb, table) ? done : go()

/** Every row that such a statement answers, changed; `forget`: none at all. */
export const rowsOf =
  (where: RegExp, change: ((row: Row) => Row) | 'forget'): Tamper =>
  async (statement, go) => {
    const result = (await go()) as { rows?: Row[] }
    if (!where.test(statement) || result.rows === undefined) return result
    return { ...result, rows: change === 'forget' ? [] : result.rows.map(change) }
  }

/** Such a statement is done, and says so with no row. */
export const silence =
  (verb: string, table: string): Tamper =>
  async (statement, go) =>
    isWrite(statement, verb, table) ? go().then(() => done) : go()
