import { randomBytes } from 'node:crypto'
import { makeChanges } from '../src/db/changes.ts'
import type { Machine, Reactions } from '../src/db/tx.ts'
import type { TestDatabase } from './database.ts'
import { makeTestKeyring } from './keyring.ts'

/** A clock that stands still until it is told otherwise. */
export type TestClock = {
  readonly now: () => Date
  readonly advance: (ms: number) => void
  readonly set: (at: Date) => void
}

export function makeTestClock(start = new Date('2026-11-22T06:30:00.000Z')): TestClock {
  let at = start.getTime()
  return { now: () => new Date(at), advance: (ms) => void (at += ms), set: (to) => void (at = to.getTime()) }
}

/** A {@link Machine} on a test database, with a clock of the test's. */
export function makeTestMachine(
  database: TestDatabase,
  options: { readonly clock?: TestClock; readonly reactions?: Reactions; readonly wake?: () => void } = {},
): Machine {
  const clock = options.clock ?? makeTestClock()
  const random = (bytes: number): Uint8Array => new Uint8Array(randomBytes(bytes))
  return {
    db: database.db,
    now: clock.now,
    random,
    keyWrap: makeTestKeyring(random),
    reactions: options.reactions ?? new Map(),
    wake: options.wake ?? (() => undefined),
    changes: makeChanges(),
  }
}
