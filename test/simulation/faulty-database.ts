import type pg from 'pg'
import type { Connection } from '../../src/db/connect.ts'

/** What a statement can meet. `before` and `after`: the process ends around a commit. */
export type DatabaseFault =
  | { readonly kind: 'crash'; readonly when: 'before' | 'after' }
  | { readonly kind: 'disk-full'; readonly writes: number; readonly table?: string }
  | { readonly kind: 'connection-lost'; readonly statements: number; readonly atCommit: boolean }

/** Whoever watches hears what became of each transaction at the server, whether or not the party lived to hear it. */
export type Told = {
  readonly committed: () => void
  readonly rolledBack: () => void
  readonly crashed: () => void
}

/** Breaks the product on purpose, between it and its database: does something else than the statement says. */
export type Tamper = (statement: string, go: () => Promise<unknown>) => Promise<unknown>

type Query = (...args: unknown[]) => unknown
type State = { inTransaction: boolean; broken: 'aborted' | 'lost' | undefined }

const WRITES = /^\s*(?:insert|update|delete)\b/i
const text = (query: unknown): string =>
  typeof query === 'string'
    ? query
    : typeof query === 'object' && query !== null && 'text' in query
      ? String(query.text)
      : ''
const word = (statement: string): string => /^\s*(\w+)/.exec(statement)?.[1]?.toLowerCase() ?? ''

/** An error as PostgreSQL, or the socket to it, raises it. */
function fault(code: string, message: string): Error {
  return Object.assign(new Error(message), { code })
}

/**
 * Stands between one life of a party and its real database: lets its connections break, its disk be full, and its process end right
 * before or right after a commit. After the end of that life no statement gets through any more, and what was open is rolled back.
 */
export class FaultyDatabase {
  readonly #tell: Told
  readonly #tamper: Tamper
  readonly #states = new Map<pg.PoolClient, State>()
  readonly #patched = new Map<pg.PoolClient, Query>()
  readonly #pool: pg.Pool
  #armed: DatabaseFault | undefined
  #left = 0
  isDead = false
  statements = 0

  constructor(connection: Connection, tell: Told, tamper: Tamper | undefined) {
    this.#tell = tell
    this.#tamper = tamper ?? ((_statement, go) => go())
    this.#pool = connection.pool
    this.#pool.on('acquire', this.#acquired).on('release', this.#released)
  }

  readonly #acquired = (client: pg.PoolClient): void => this.#patch(client)
  readonly #released = (_error: unknown, client: unknown): void => void this.#states.delete(client as pg.PoolClient)

  /** Gives the connections back as they were, for the next life. */
  leave(): void {
    this.#pool.off('acquire', this.#acquired).off('release', this.#released)
    for (const [client, real] of this.#patched) client.query = real as typeof client.query
  }

  /** The next statement, or commit, that fits meets this fault. Replaces what was armed before. */
  arm(fault: DatabaseFault | undefined): void {
    this.#armed = fault
    this.#left = fault?.kind === 'disk-full' ? fault.writes : fault?.kind === 'connection-lost' ? fault.statements : 0
  }

  /** The process is gone: its sessions at the server end, what they had not committed never was. */
  async die(): Promise<void> {
    this.isDead = true
    const open = [...this.#states].filter(([, state]) => state.inTransaction)
    for (const [client, state] of open) {
      state.inTransaction = false
      await this.#patched.get(client)?.('rollback')
      this.#tell.rolledBack()
    }
  }

  #patch(client: pg.PoolClient): void {
    this.#states.set(client, { inTransaction: false, broken: undefined })
    if (this.#patched.has(client)) return
    const real = client.query.bind(client) as Query
    this.#patched.set(client, real)
    const guarded: Query = (...args) => {
      if (typeof args.at(-1) === 'function') return real(...args)
      return this.#run(client, text(args[0]), () => real(...args) as Promise<unknown>, real)
    }
    client.query = guarded as typeof client.query
  }

  async #run(client: pg.PoolClient, statement: string, go: () => Promise<unknown>, real: Query): Promise<unknown> {
    this.statements++
    const state = this.#states.get(client) ?? { inTransaction: false, broken: undefined }
    const verb = word(statement)
    if (this.isDead) throw fault('57P01', 'this process has ended')
    if (state.broken === 'lost') throw fault('08006', 'Connection terminated unexpectedly')
    if (state.broken === 'aborted' && verb !== 'rollback')
      throw fault('25P02', 'current transaction is aborted, commands ignored until end of transaction block')
    if (verb === 'commit') return this.#commit(client, state, go, real)
    await this.#strike(state, statement, real)
    if (verb === 'begin') state.inTransaction = true
    if (verb === 'rollback') {
      state.inTransaction = false
      state.broken = undefined
      this.#tell.rolledBack()
    }
    const result = await this.#tamper(statement, go)
    // The end of the process came while the server answered: nobody is there to hear it.
    if (this.isDead) throw fault('57P01', 'this process has ended')
    return result
  }

  async #commit(client: pg.PoolClient, state: State, go: () => Promise<unknown>, real: Query): Promise<unknown> {
    const armed = this.#armed
    const isLoss = armed?.kind === 'connection-lost' && armed.atCommit
    const isDone = armed?.kind !== 'crash' || armed.when === 'after'
    const result = isDone ? await this.#tamper('commit', go) : await real('rollback')
    state.inTransaction = false
    if (isDone) this.#tell.committed()
    else this.#tell.rolledBack()
    if (armed?.kind !== 'crash' && !isLoss) return result
    this.#armed = undefined
    if (isLoss) {
      state.broken = 'lost'
      throw fault('08006', 'Connection terminated unexpectedly')
    }
    this.#states.delete(client)
    this.isDead = true
    this.#tell.crashed()
    throw fault('57P01', 'this process has ended')
  }

  async #strike(state: State, statement: string, real: Query): Promise<void> {
    const armed = this.#armed
    if (armed === undefined) return
    if (armed.kind === 'disk-full' && WRITES.test(statement) && statement.includes(armed.table ?? '')) {
      this.#left--
      if (this.#left <= 0) this.#armed = undefined
      if (state.inTransaction) state.broken = 'aborted'
      throw fault('53100', 'could not extend file: No space left on device')
    }
    if (armed.kind === 'connection-lost' && !armed.atCommit && this.#left-- <= 0) {
      this.#armed = undefined
      if (state.inTransaction) {
        await real('rollback')
        this.#tell.rolledBack()
      }
      state.inTransaction = false
      state.broken = 'lost'
      throw fault('08006', 'Connection terminated unexpectedly')
    }
  }
}
