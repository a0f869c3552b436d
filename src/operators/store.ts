import type { Recorded } from '../audit/record.ts'
import { asWritten, eachAsWritten } from '../audit/watch/tampered.ts'
import { isTied, tiedColumns, withTie } from '../db/tie.ts'
import { insistOnOne, type Tx } from '../db/tx.ts'
import { insistOnMove } from '../kernel/moves.ts'
import type { SealedSecret } from '../people/sealed-secret.ts'
import { OPERATOR_MOVES, type Operator, type OperatorEvent, type OperatorStatus } from './operator.ts'

export type OperatorRow = Operator & {
  readonly secret: SealedSecret | undefined
  readonly codeStepUsed: number
}

const STEP_MS = 30_000
const TABLE = 'party_operator'
const COLUMNS = [...tiedColumns(TABLE), 'code_key'] as const
const select = (tx: Tx) => tx.db.selectFrom(TABLE).select(COLUMNS)

function rowOf(row: Awaited<ReturnType<ReturnType<typeof select>['execute']>>[number]): OperatorRow {
  const { name, code_key: key, sealed_code_secret: sealed, code_step_used: step } = row
  return {
    name,
    status: row.status as OperatorStatus,
    enrolledAt: row.enrolled_at,
    codeStepUsed: step,
    ...(step === 0 ? {} : { provedAt: new Date(step * STEP_MS) }),
    secret: key === null || sealed === null ? undefined : { key, sealed },
  }
}

/** The row stays locked until the transaction ends. One that this program did not write counts as not there. */
export async function lockOperator(tx: Tx, name: string): Promise<OperatorRow | undefined> {
  const row = await asWritten(tx, TABLE, await select(tx).where('name', '=', name).forUpdate().executeTakeFirst())
  return row && rowOf(row)
}

export async function listOperatorRows(tx: Tx): Promise<readonly OperatorRow[]> {
  return (await eachAsWritten(tx, TABLE, await select(tx).orderBy('name').execute())).map(rowOf)
}

/** Makes an operator, or gives one another status or secret. A new secret counts its steps anew. */
export async function moveOperator(
  tx: Tx,
  { event: { subject: name } }: Recorded<OperatorEvent>,
  before: OperatorRow | undefined,
  to: { readonly status: 'active'; readonly secret: SealedSecret } | { readonly status: 'ended' },
): Promise<void> {
  insistOnMove(OPERATOR_MOVES, before?.status ?? 'none', to.status, 'operator')
  const isNew = to.status === 'active' || before === undefined
  const row = withTie(TABLE, {
    name,
    status: to.status,
    code_key: to.status === 'active' ? Buffer.from(to.secret.key) : null,
    sealed_code_secret: to.status === 'active' ? Buffer.from(to.secret.sealed) : null,
    code_step_used: isNew ? 0 : before.codeStepUsed,
    enrolled_at: isNew ? tx.now : before.enrolledAt,
    changed_at: tx.now,
  })
  if (before === undefined) {
    // A row of this name that this program did not write counts as not there, and gives way.
    const found = await select(tx).where('name', '=', name).forUpdate().executeTakeFirst()
    if (found && !isTied(TABLE, found)) await tx.db.deleteFrom(TABLE).where('name', '=', name).execute()
    await tx.db.insertInto(TABLE).values(row).execute()
    return
  }
  const updated = await tx.db
    .updateTable(TABLE)
    .set(row)
    .where('name', '=', name)
    .where('status', '=', before.status)
    .executeTakeFirst()
  insistOnOne(updated, TABLE)
}

/** Uses up the code of a step of a row that is locked. */
export async function saveStep(
  tx: Tx,
  _recorded: Recorded<OperatorEvent>,
  row: OperatorRow,
  step: number,
): Promise<void> {
  const { name, status, secret, enrolledAt } = row
  const { tie } = withTie(TABLE, {
    name,
    status,
    sealed_code_secret: secret?.sealed ?? null,
    code_step_used: step,
    enrolled_at: enrolledAt,
  })
  const updated = await tx.db
    .updateTable(TABLE)
    .set({ code_step_used: step, tie })
    .where('name', '=', name)
    .where('code_step_used', '<', step)
    .executeTakeFirst()
  insistOnOne(updated, TABLE)
}
