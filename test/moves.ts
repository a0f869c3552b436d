import assert from 'node:assert/strict'
import { canMove, IllegalMove, type MoveTable } from '../src/kernel/moves.ts'

class Reached extends Error {}

/** A transaction of which only one thing can be seen: that an update was begun. */
const watched = {
  now: new Date(0),
  keyWrap: undefined,
  db: {
    selectFrom: () => {
      throw new Reached('select')
    },
    updateTable: () => {
      throw new Reached('update')
    },
    insertInto: () => {
      throw new Reached('insert')
    },
  },
} as never

/** Asks for every pair of states, and insists that exactly the moves of the table get as far as the database. */
export async function insistOnTable(
  table: MoveTable,
  move: (tx: never, from: never, to: never) => Promise<unknown>,
  pairs: { readonly from?: readonly string[]; readonly to?: readonly string[] } = {},
): Promise<void> {
  const states = Object.keys(table)
  for (const from of pairs.from ?? states)
    for (const to of pairs.to ?? states)
      await assert.rejects(
        async () => move(watched, from as never, to as never),
        canMove(table, from, to) ? Reached : IllegalMove,
        `${from} to ${to}`,
      )
}
