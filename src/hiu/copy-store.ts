import { type Selectable, sql } from 'kysely'
import type { AuditEvent, Recorded } from '../audit/record.ts'
import type { HiuCopyTable } from '../db/tables.generated.ts'
import { insistOnOne, type Tx } from '../db/tx.ts'
import { bucketOf } from '../kernel/bucket.ts'
import type { AbhaAddress, Id } from '../kernel/id.ts'
import type { ListPlace } from '../kernel/list-place.ts'
import { insistOnMove } from '../kernel/moves.ts'
import { COPY_MOVES, type CopyFacts, type CopyStatus, type HoldReason } from './copy.ts'
import type { ErasureReason } from './hiu.ts'

type AnyRecorded = Recorded<AuditEvent>
export type CopyName = { readonly artefact: Id<'artefact'>; readonly patient: AbhaAddress }

/** A copy whose consent has ended, or on which a legal claim lies. */
export type Copy = CopyName & {
  readonly status: CopyStatus
  readonly reason?: ErasureReason
  readonly hold?: { readonly reason: HoldReason; readonly until: Date }
  readonly pages: number
  readonly stoppedAt?: Date
}

/** Locks the row of a copy; one that has none is active, and nothing is known of it here. */
export async function lockCopy(tx: Tx, { artefact, patient }: CopyName): Promise<Copy | undefined> {
  const row = await tx.db
    .selectFrom('hiu_copy')
    .selectAll()
    .where('bucket', '=', bucketOf(patient))
    .where('artefact', '=', artefact)
    .forUpdate()
    .executeTakeFirst()
  return row && copyOfRow(row)
}

function copyOfRow(row: Selectable<HiuCopyTable>): Copy {
  const { hold_reason, hold_until } = row
  return {
    artefact: row.artefact as Id<'artefact'>,
    patient: row.patient as AbhaAddress,
    status: row.status as CopyStatus,
    pages: row.pages,
    ...(row.reason === null ? {} : { reason: row.reason as ErasureReason }),
    ...(row.stopped_at === null ? {} : { stoppedAt: row.stopped_at }),
    ...(hold_reason === null || hold_until === null
      ? {}
      : {
          hold: { reason: hold_reason as HoldReason, until: hold_until },
        }),
  }
}

/** Puts down where a copy stands; the first time its row is made. */
export async function moveCopy(tx: Tx, _recorded: AnyRecorded, from: Copy | undefined, to: Copy): Promise<void> {
  const { artefact, patient, status, hold } = to
  if (from?.status !== status) insistOnMove(COPY_MOVES, from?.status ?? 'active', status, `copy ${artefact}`)
  const bucket = bucketOf(patient)
  const values = {
    status,
    reason: to.reason ?? null,
    hold_reason: hold?.reason ?? null,
    hold_until: hold?.until ?? null,
    pages: to.pages,
    stopped_at: to.stoppedAt ?? null,
    changed_at: tx.now,
  }
  if (from === undefined) {
    await tx.db
      .insertInto('hiu_copy')
      .values({ bucket, artefact, patient, ...values })
      .execute()
    return
  }
  const result = await tx.db
    .updateTable('hiu_copy')
    .set(values)
    .where('bucket', '=', bucket)
    .where('artefact', '=', artefact)
    .where('status', '=', from.status)
    .executeTakeFirst()
  insistOnOne(result, `copy ${artefact}`)
}

/** Puts a legal claim on an active copy, or takes it off. */
export async function saveClaim(tx: Tx, _recorded: AnyRecorded, from: Copy | undefined, to: Copy): Promise<void> {
  if (from !== undefined) return moveCopy(tx, _recorded, from, to)
  const { artefact, patient, hold } = to
  await tx.db
    .insertInto('hiu_copy')
    .values({
      bucket: bucketOf(patient),
      artefact,
      patient,
      status: 'active',
      reason: null,
      hold_reason: hold?.reason ?? null,
      hold_until: hold?.until ?? null,
      pages: 0,
      stopped_at: null,
      changed_at: tx.now,
    })
    .execute()
}

/** Kept copies, those whose time ends first before the others; `until`: whose time has come. */
export async function heldCopies(
  tx: Tx,
  { until, after, limit }: { readonly until?: Date; readonly after?: ListPlace | undefined; readonly limit: number },
): Promise<readonly Copy[]> {
  let query = tx.db.selectFrom('hiu_copy').selectAll().where('bucket', '>=', 0).where('status', '=', 'held')
  if (until !== undefined) query = query.where('hold_until', '<=', until)
  if (after !== undefined)
    query = query.where(sql<boolean>`(hold_until, artefact) > (${after.date}, ${after.id}::uuid)`)
  const rows = await query.orderBy('hold_until').orderBy('artefact').limit(limit).execute()
  return rows.map(copyOfRow)
}

/** What a hold is decided by, apart from a claim. */
export async function copyFacts(
  tx: Tx,
  { artefact, patient }: CopyName,
  consent: Id<'hiu-consent'>,
): Promise<Omit<CopyFacts, 'claim'>> {
  const bucket = bucketOf(patient)
  const found = await tx.db
    .selectFrom('hiu_document')
    .select((eb) => [eb.fn.countAll<number>().as('documents'), eb.fn.max('received_at').as('last')])
    .where('bucket', '=', bucket)
    .where('artefact', '=', artefact)
    .executeTakeFirstOrThrow()
  const asked = await tx.db
    .selectFrom('hiu_consent')
    .select('read_at')
    .where('bucket', '=', bucket)
    .where('id', '=', consent)
    .executeTakeFirst()
  return {
    documents: Number(found.documents),
    ...(found.last === null ? {} : { lastReceivedAt: found.last }),
    ...(asked === undefined || asked.read_at === null ? {} : { firstReadAt: asked.read_at }),
  }
}
