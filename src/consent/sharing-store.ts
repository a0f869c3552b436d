import type { SelectQueryBuilder } from 'kysely'
import { sql } from 'kysely'
import type { Tables } from '../db/tables.generated.ts'
import type { Tx } from '../db/tx.ts'
import { bucketOf } from '../kernel/bucket.ts'
import { type AbhaAddress, type FacilityId, type Id, parseId } from '../kernel/id.ts'
import { OWN_APPS_LIKE } from '../partners/own-app.ts'
import { openRows } from '../vault/sealed-json.ts'
import type { Artefact } from './consent.ts'
import { artefactOfRow } from './store.ts'

const FIRST = '00000000-0000-0000-0000-000000000000'

/** Consents of the patient to others: what she fetches for herself is shared with nobody. A literal, so that its index is used. */
function shared(tx: Tx, patient: AbhaAddress) {
  return tx.db
    .selectFrom('consent_artefact')
    .where('bucket', '=', bucketOf(patient))
    .where('patient', '=', patient)
    .where(sql<boolean>`hiu not like ${sql.lit(OWN_APPS_LIKE)}`)
}

/** Every consent in force now, newest first: however many there are, each can be seen and stopped. */
export async function findLiveShared(tx: Tx, patient: AbhaAddress): Promise<readonly Artefact[]> {
  const rows = await shared(tx, patient)
    .selectAll()
    .where('status', '=', 'GRANTED')
    .where('data_erase_at', '>', tx.now)
    .orderBy('created_at', 'desc')
    .orderBy('id', 'desc')
    .execute()
  return openRows(rows, (row) => artefactOfRow(tx, row))
}

/** The newest of those that are over, at most `limit`. */
export async function findEndedShared(tx: Tx, patient: AbhaAddress, limit: number): Promise<readonly Artefact[]> {
  const rows = await shared(tx, patient)
    .selectAll()
    .where((e) => e.or([e('status', '<>', 'GRANTED'), e('data_erase_at', '<=', tx.now)]))
    .orderBy('created_at', 'desc')
    .orderBy('id', 'desc')
    .limit(limit)
    .execute()
  return openRows(rows, (row) => artefactOfRow(tx, row))
}

/** All consents of one request, to one receiver, from one holder to one receiver (`holder>receiver`), or one by its own id. */
function named(tx: Tx, patient: AbhaAddress, what: string) {
  const own: SelectQueryBuilder<Tables, 'consent_artefact', object> = tx.db
    .selectFrom('consent_artefact')
    .where('bucket', '=', bucketOf(patient))
    .where('patient', '=', patient)
  const id = parseId<'artefact'>(what)
  if (id !== undefined) return own.where((e) => e.or([e('id', '=', id), e('request', '=', id)]))
  const [first = '', second] = what.split('>')
  return second === undefined ? own.where('hiu', '=', first) : own.where('hip', '=', first).where('hiu', '=', second)
}

/** Ids of those among them that are in force, in their order, beyond `after`. */
export async function findLiveNamed(
  tx: Tx,
  patient: AbhaAddress,
  what: string,
  batch: { readonly after: Id<'artefact'> | undefined; readonly limit: number },
): Promise<readonly Id<'artefact'>[]> {
  const rows = await named(tx, patient, what)
    .select('id')
    .where('status', '=', 'GRANTED')
    .where('data_erase_at', '>', tx.now)
    .where('id', '>', batch.after ?? FIRST)
    .orderBy('id')
    .limit(batch.limit)
    .execute()
  return rows.map(({ id }) => id as Id<'artefact'>)
}

/** Ids of those that are over, newest first, at most `limit`. */
export async function findEndedNamed(
  tx: Tx,
  patient: AbhaAddress,
  what: string,
  limit: number,
): Promise<readonly Id<'artefact'>[]> {
  const rows = await named(tx, patient, what)
    .select('id')
    .where((e) => e.or([e('status', '<>', 'GRANTED'), e('data_erase_at', '<=', tx.now)]))
    .orderBy('created_at', 'desc')
    .orderBy('id', 'desc')
    .limit(limit)
    .execute()
  return rows.map(({ id }) => id as Id<'artefact'>)
}

/** To whom a consent goes that is named so; undefined when the patient has none. */
export async function findReceiverOf(tx: Tx, patient: AbhaAddress, what: string): Promise<FacilityId | undefined> {
  const row = await named(tx, patient, what).select('hiu').limit(1).executeTakeFirst()
  return row && (row.hiu as FacilityId)
}
