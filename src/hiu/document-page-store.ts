import { sql } from 'kysely'
import type { Tx } from '../db/tx.ts'
import type { HiType } from '../fhir/hi-type.ts'
import { bucketOf } from '../kernel/bucket.ts'
import type { AbhaAddress, FacilityId, Id } from '../kernel/id.ts'
import type { ListPlace } from '../kernel/list-place.ts'
import { type DocumentEntry, type Erasure, entryOf, erasureOf, HEAD } from './document-store.ts'

/** A document without its content, and how large that is, sealed. */
export type SizedEntry = DocumentEntry & { readonly bytes: number }

/** The newest documents of a patient, held and quarantined, from below a place in that list; with their sealed size. */
export async function newestDocuments(
  tx: Tx,
  patient: AbhaAddress,
  wanted: {
    readonly below: ListPlace | undefined
    readonly limit: number
    readonly statuses: readonly DocumentEntry['status'][]
  },
): Promise<readonly SizedEntry[]> {
  const { below, limit, statuses } = wanted
  let query = tx.db
    .selectFrom('hiu_document')
    .select(HEAD)
    .select(sql<number>`octet_length(sealed)`.as('bytes'))
    .where('bucket', '=', bucketOf(patient))
    .where('patient', '=', patient)
    .where('status', 'in', [...statuses])
  if (below !== undefined) query = query.where(sql<boolean>`(date, id) < (${below.date}, ${below.id}::uuid)`)
  const rows = await query.orderBy('date', 'desc').orderBy('id', 'desc').limit(limit).execute()
  return rows.map((row) => ({ ...entryOf(row), bytes: row.bytes }))
}

/** Up to `limit` held documents under some artefacts and of some types, newest first, from below a place in that list; with their sealed size. */
export async function documentsBelow(
  tx: Tx,
  patient: AbhaAddress,
  wanted: {
    readonly artefacts: readonly Id<'artefact'>[]
    readonly types: readonly HiType[]
    readonly below: ListPlace | undefined
    readonly limit: number
  },
): Promise<readonly SizedEntry[]> {
  const { artefacts, types, below, limit } = wanted
  if (artefacts.length === 0 || types.length === 0) return []
  let query = tx.db
    .selectFrom('hiu_document')
    .select(HEAD)
    .select(sql<number>`octet_length(sealed)`.as('bytes'))
    .where('bucket', '=', bucketOf(patient))
    .where('patient', '=', patient)
    .where('status', '=', 'held')
    .where('artefact', 'in', [...artefacts])
    .where('hi_type', 'in', [...types])
  if (below !== undefined) query = query.where(sql<boolean>`(date, id) < (${below.date}, ${below.id}::uuid)`)
  const rows = await query.orderBy('date', 'desc').orderBy('id', 'desc').limit(limit).execute()
  return rows.map((row) => ({ ...entryOf(row), bytes: row.bytes }))
}

/** The newest quarantined documents of a patient. */
export async function quarantinedOf(tx: Tx, patient: AbhaAddress, limit: number): Promise<readonly DocumentEntry[]> {
  const rows = await tx.db
    .selectFrom('hiu_document')
    .select(HEAD)
    .where('bucket', '=', bucketOf(patient))
    .where('patient', '=', patient)
    .where('status', '=', 'quarantined')
    .orderBy('date', 'desc')
    .orderBy('id', 'desc')
    .limit(limit)
    .execute()
  return rows.map(entryOf)
}

/** How many documents of a patient there are under an artefact, of a type, held or quarantined. */
export type DocumentCount = Pick<DocumentEntry, 'artefact' | 'hip' | 'hiType' | 'status'> & { readonly n: number }

/** Counts a patient's documents, without content. */
export async function countDocuments(tx: Tx, patient: AbhaAddress): Promise<readonly DocumentCount[]> {
  const rows = await tx.db
    .selectFrom('hiu_document')
    .select(['artefact', 'hip', 'hi_type', 'status', sql<number>`count(*)::integer`.as('n')])
    .where('bucket', '=', bucketOf(patient))
    .where('patient', '=', patient)
    .groupBy(['artefact', 'hip', 'hi_type', 'status'])
    .orderBy('artefact')
    .execute()
  return rows.map((row) => ({
    artefact: row.artefact as Id<'artefact'>,
    hip: row.hip as FacilityId,
    hiType: row.hi_type as HiType,
    status: row.status as DocumentEntry['status'],
    n: row.n,
  }))
}

/** What was erased of some artefacts of one patient. */
export async function erasuresOf(
  tx: Tx,
  patient: AbhaAddress,
  artefacts: readonly Id<'artefact'>[],
): Promise<readonly Erasure[]> {
  if (artefacts.length === 0) return []
  const rows = await tx.db
    .selectFrom('hiu_erasure')
    .selectAll()
    .where('bucket', '=', bucketOf(patient))
    .where('artefact', 'in', [...artefacts])
    .orderBy('artefact')
    .execute()
  return rows.map(erasureOf)
}
