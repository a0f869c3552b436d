/** A table of moves: `{from: [to, …]}`, or `{from: {verb: to}}`. `none` is where a thing begins that is not there yet. */
export type MoveTable = Readonly<Record<string, readonly string[] | Readonly<Record<string, string>>>>

/** A change of state that its table does not have: only a bug asks for one. */
export class IllegalMove extends Error {
  override readonly name = 'IllegalMove'
}

/** Whether `table` has a move between two states. */
export function canMove<Table extends MoveTable>(table: Table, from: keyof Table & string, to: string): boolean {
  return Object.values(table[from] ?? []).includes(to)
}

/** Throws {@link IllegalMove} when `table` has no such move: what may come from outside is refused before. `what` names the thing. */
export function insistOnMove<Table extends MoveTable>(
  table: Table,
  from: keyof Table & string,
  to: string,
  what: string,
): void {
  if (!canMove(table, from, to)) throw new IllegalMove(`${what}: no move from ${from} to ${to}`)
}
