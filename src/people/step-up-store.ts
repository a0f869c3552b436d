import { asWritten } from '../audit/watch/tampered.ts'
import { withTie } from '../db/tie.ts'
import { insistOnOne, type Tx } from '../db/tx.ts'
import { pseudonym } from '../db/veil.ts'
import type { Id } from '../kernel/id.ts'
import { insistOnMove } from '../kernel/moves.ts'
import type { StepUpAct } from '../kernel/step-up-act.ts'
import { STEP_UP_MOVES, type StepUp, type StepUpStatus } from './step-up.ts'

const rowOf = (stepUp: StepUp) =>
  withTie('step_up', {
    id: stepUp.id,
    session: stepUp.session,
    act: stepUp.act,
    subject: pseudonym(stepUp.subject),
    status: stepUp.status,
    code_hash: stepUp.codeHash === undefined ? null : Buffer.from(stepUp.codeHash),
    challenge: stepUp.challenge === undefined ? null : Buffer.from(stepUp.challenge),
    origin: stepUp.origin ?? null,
    wrong_tries: stepUp.wrongTries,
    asked_at: stepUp.askedAt,
    expires_at: stepUp.expiresAt,
  })

/** Asking for a proof changes nothing of anybody's; the proof is recorded. */
export async function insertStepUp(tx: Tx, stepUp: Omit<StepUp, 'status' | 'wrongTries' | 'askedAt'>): Promise<void> {
  await tx.db
    .insertInto('step_up')
    .values(rowOf({ ...stepUp, status: 'waiting', wrongTries: 0, askedAt: tx.now }))
    .execute()
}

/** How many proofs this session asked for, and with how many codes, since a time. */
export async function countStepUps(
  tx: Tx,
  session: Id<'web-session'>,
  since: Date,
): Promise<{ readonly asked: number; readonly withCode: number }> {
  const row = await tx.db
    .selectFrom('step_up')
    .select((e) => [e.fn.countAll<string>().as('asked'), e.fn.count<string>('code_hash').as('coded')])
    .where('session', '=', session)
    .where('asked_at', '>', since)
    .executeTakeFirst()
  return { asked: Number(row?.asked ?? 0), withCode: Number(row?.coded ?? 0) }
}

/** The proof of this id, if this session asked for it. */
export async function lockStepUp(tx: Tx, session: Id<'web-session'>, id: Id<'step-up'>): Promise<StepUp | undefined> {
  const found = await tx.db
    .selectFrom('step_up')
    .selectAll()
    .where('id', '=', id)
    .where('session', '=', session)
    .forUpdate()
    .executeTakeFirst()
  const row = await asWritten(tx, 'step_up', found)
  if (row === undefined) return undefined
  return {
    id,
    session,
    act: row.act as StepUpAct,
    subject: row.subject,
    status: row.status as StepUpStatus,
    codeHash: row.code_hash ?? undefined,
    challenge: row.challenge ?? undefined,
    origin: row.origin ?? undefined,
    wrongTries: row.wrong_tries,
    askedAt: row.asked_at,
    expiresAt: row.expires_at,
  }
}

export async function updateStepUpCode(tx: Tx, stepUp: StepUp, codeHash: Uint8Array): Promise<void> {
  const { code_hash, tie } = rowOf({ ...stepUp, codeHash })
  await tx.db.updateTable('step_up').set({ code_hash, tie }).where('id', '=', stepUp.id).execute()
}

export async function moveStepUp(
  tx: Tx,
  stepUp: StepUp,
  to: { readonly status: StepUpStatus; readonly wrongTries: number },
): Promise<void> {
  insistOnMove(STEP_UP_MOVES, stepUp.status, to.status, 'proof anew')
  const { status, wrong_tries, tie } = rowOf({ ...stepUp, ...to })
  const updated = await tx.db
    .updateTable('step_up')
    .set({ status, wrong_tries, tie })
    .where('id', '=', stepUp.id)
    .where('status', '=', stepUp.status)
    .executeTakeFirst()
  insistOnOne(updated, 'step_up')
}

export async function deleteStepUpsBefore(tx: Tx, before: Date): Promise<void> {
  await tx.db.deleteFrom('step_up').where('expires_at', '<', before).execute()
}
