import type { Selectable } from 'kysely'
import type { AuditEvent, Recorded } from '../audit/record.ts'
import type { Place } from '../crypto/envelope.ts'
import type { HiuArtefactTable, HiuConsentTable } from '../db/tables.generated.ts'
import { insistOnOne, type Tx } from '../db/tx.ts'
import { sealedOrNull } from '../db/veil.ts'
import { bucketOf } from '../kernel/bucket.ts'
import { type AbhaAddress, bucketOfId, type FacilityId, type Id } from '../kernel/id.ts'
import type { StaffRole } from '../kernel/staff-role.ts'
import { openJson, sealJson } from '../vault/sealed-json.ts'
import {
  type ArtefactStatus,
  type AskedBy,
  type AskText,
  type ConsentAsk,
  type ConsentStatus,
  readTerms,
  type Terms,
  type TermsText,
  writeTerms,
} from './hiu.ts'

export type Consent = {
  readonly id: Id<'hiu-consent'>
  readonly patient: AbhaAddress
  readonly status: ConsentStatus
  /** The exchange's id of the consent request. */
  readonly exchangeId?: Id<'consent-request'>
  readonly asked: ConsentAsk
  /** Absent where software asked with the operator's token. */
  readonly askedBy?: AskedBy
  readonly reason?: string
  readonly askedAt: Date
  readonly changedAt: Date
  /** When somebody of the staff first read a document that came under it. */
  readonly readAt?: Date
}

/** What the patient gave: the terms, who holds the records, and the JSON value that was signed. */
export type Granted = {
  readonly terms: Terms
  readonly hip: { readonly id: FacilityId; readonly name?: string }
  readonly raw: unknown
}

export type Artefact = {
  readonly id: Id<'artefact'>
  readonly consent: Id<'hiu-consent'>
  readonly patient: AbhaAddress
  readonly status: ArtefactStatus
  readonly fetchRequest?: Id<'request'>
  readonly granted?: Granted
  readonly signature?: string
  readonly eraseAt?: Date
  readonly reason?: string
  readonly toldAt: Date
  readonly changedAt: Date
  readonly erasedAt?: Date
}

type KnownKind = 'consent-request' | 'artefact' | 'subscription-request' | 'subscription'

/** Remembers where the row is that the exchange calls `id`. False when the id is taken. */
export async function saveKnownId(
  tx: Tx,
  _recorded: Recorded<AuditEvent>,
  kind: KnownKind,
  id: string,
  own: { readonly bucket: number; readonly id: string },
): Promise<boolean> {
  const inserted = await tx.db
    .insertInto('hiu_known_id')
    .values({ bucket: bucketOf(id), kind, id, own_bucket: own.bucket, own_id: own.id })
    .onConflict((c) => c.columns(['bucket', 'kind', 'id']).doNothing())
    .executeTakeFirst()
  return inserted.numInsertedOrUpdatedRows === 1n
}

/** Where the row is that the exchange calls `id`. */
export async function knownId(
  tx: Tx,
  kind: KnownKind,
  id: string,
): Promise<{ readonly bucket: number; readonly id: string } | undefined> {
  const row = await tx.db
    .selectFrom('hiu_known_id')
    .select(['own_bucket', 'own_id'])
    .where('bucket', '=', bucketOf(id))
    .where('kind', '=', kind)
    .where('id', '=', id)
    .executeTakeFirst()
  return row && { bucket: row.own_bucket, id: row.own_id }
}

const askedPlace = (id: string, patient: string): Place => ({ table: 'hiu_consent', column: 'asked', row: id, patient })
const detailPlace = (id: string, patient: string): Place => ({
  table: 'hiu_artefact',
  column: 'detail',
  row: id,
  patient,
})

export async function insertConsent(
  tx: Tx,
  _recorded: Recorded<AuditEvent>,
  id: Id<'hiu-consent'>,
  asked: ConsentAsk,
  by?: AskedBy,
): Promise<void> {
  await tx.db
    .insertInto('hiu_consent')
    .values({
      bucket: bucketOf(asked.patient),
      id,
      patient: asked.patient,
      exchange_id: null,
      status: 'asked',
      asked: await sealJson(tx, askedPlace(id, asked.patient), writeTerms(asked)),
      reason: null,
      asked_at: tx.now,
      changed_at: tx.now,
      asked_by: by?.staff ?? null,
      asked_role: by?.role ?? null,
      template: by?.template ?? null,
      read_at: null,
    })
    .execute()
}

/** Locks the row until the transaction ends: notifications of one consent are taken one after the other. */
export async function lockConsent(
  tx: Tx,
  id: string,
  bucket: number = bucketOfId(id as Id<'hiu-consent'>),
): Promise<Consent | undefined> {
  const row = await tx.db
    .selectFrom('hiu_consent')
    .selectAll()
    .where('bucket', '=', bucket)
    .where('id', '=', id)
    .forUpdate()
    .executeTakeFirst()
  return row && openConsent(tx, row)
}

export async function findConsent(
  tx: Tx,
  id: string,
  bucket: number = bucketOfId(id as Id<'hiu-consent'>),
): Promise<Consent | undefined> {
  const row = await tx.db
    .selectFrom('hiu_consent')
    .selectAll()
    .where('bucket', '=', bucket)
    .where('id', '=', id)
    .executeTakeFirst()
  return row && openConsent(tx, row)
}

export async function openConsent(tx: Tx, row: Selectable<HiuConsentTable>): Promise<Consent> {
  const asked = (await openJson(tx, askedPlace(row.id, row.patient), row.asked)) as AskText | undefined
  if (asked === undefined)
    throw new Error(`the key of the patient of consent ${row.id} was erased, but its row was not`)
  return {
    id: row.id as Id<'hiu-consent'>,
    patient: row.patient as AbhaAddress,
    status: row.status as ConsentStatus,
    asked: readTerms(asked),
    askedAt: row.asked_at,
    changedAt: row.changed_at,
    ...(row.exchange_id === null ? {} : { exchangeId: row.exchange_id as Id<'consent-request'> }),
    ...(row.reason === null ? {} : { reason: row.reason }),
    ...(row.read_at === null ? {} : { readAt: row.read_at }),
    ...(row.asked_by === null
      ? {}
      : {
          askedBy: {
            staff: row.asked_by as Id<'staff'>,
            role: row.asked_role as StaffRole,
            template: row.template ?? '',
          },
        }),
  }
}

export async function moveConsent(
  tx: Tx,
  _recorded: Recorded<AuditEvent>,
  consent: Pick<Consent, 'id' | 'patient' | 'status'>,
  to: { readonly status: ConsentStatus; readonly exchangeId?: string; readonly reason?: string },
): Promise<void> {
  const result = await tx.db
    .updateTable('hiu_consent')
    .set({
      status: to.status,
      changed_at: tx.now,
      ...(to.exchangeId === undefined ? {} : { exchange_id: to.exchangeId }),
      reason: sealedOrNull(to.reason),
    })
    .where('bucket', '=', bucketOf(consent.patient))
    .where('id', '=', consent.id)
    .where('status', '=', consent.status)
    .executeTakeFirst()
  insistOnOne(result, `consent ${consent.id}`)
}

export async function insertArtefact(
  tx: Tx,
  _recorded: Recorded<AuditEvent>,
  artefact: Pick<Artefact, 'id' | 'consent' | 'patient' | 'status'> & {
    readonly fetchRequest?: string
    readonly reason?: string
  },
): Promise<void> {
  await tx.db
    .insertInto('hiu_artefact')
    .values({
      bucket: bucketOf(artefact.patient),
      id: artefact.id,
      consent: artefact.consent,
      patient: artefact.patient,
      status: artefact.status,
      fetch_request: artefact.fetchRequest ?? null,
      detail: null,
      signature: null,
      erase_at: null,
      reason: sealedOrNull(artefact.reason),
      told_at: tx.now,
      changed_at: tx.now,
      erased_at: null,
    })
    .execute()
}

export async function findArtefact(tx: Tx, patient: string, id: string): Promise<Artefact | undefined> {
  return artefactWhere(tx, bucketOf(patient), 'id', id)
}

/** Locks the row until the transaction ends, so that asking for data and ending follow one another. */
export async function lockArtefact(tx: Tx, patient: string, id: string): Promise<Artefact | undefined> {
  const row = await tx.db
    .selectFrom('hiu_artefact')
    .selectAll()
    .where('bucket', '=', bucketOf(patient))
    .where('id', '=', id)
    .forUpdate()
    .executeTakeFirst()
  return row && openArtefact(tx, row)
}

export async function findArtefactByFetch(tx: Tx, fetchRequest: Id<'request'>): Promise<Artefact | undefined> {
  return artefactWhere(tx, bucketOfId(fetchRequest), 'fetch_request', fetchRequest)
}

/** By the exchange's id alone. */
export async function findKnownArtefact(tx: Tx, id: string): Promise<Artefact | undefined> {
  const place = await knownId(tx, 'artefact', id)
  return place && artefactWhere(tx, place.bucket, 'id', id)
}

async function artefactWhere(
  tx: Tx,
  bucket: number,
  column: 'id' | 'fetch_request',
  value: string,
): Promise<Artefact | undefined> {
  const row = await tx.db
    .selectFrom('hiu_artefact')
    .selectAll()
    .where('bucket', '=', bucket)
    .where(column, '=', value)
    .executeTakeFirst()
  return row && openArtefact(tx, row)
}

export async function artefactsOf(tx: Tx, consent: Pick<Consent, 'id' | 'patient'>): Promise<readonly Artefact[]> {
  const rows = await tx.db
    .selectFrom('hiu_artefact')
    .selectAll()
    .where('bucket', '=', bucketOf(consent.patient))
    .where('consent', '=', consent.id)
    .orderBy('told_at')
    .orderBy('id')
    .execute()
  return openAll(tx, rows)
}

export async function artefactsOfPatient(tx: Tx, patient: AbhaAddress): Promise<readonly Artefact[]> {
  const rows = await tx.db
    .selectFrom('hiu_artefact')
    .selectAll()
    .where('bucket', '=', bucketOf(patient))
    .where('patient', '=', patient)
    .orderBy('id')
    .execute()
  return openAll(tx, rows)
}

/** Granted artefacts whose time is over, in every bucket. */
export async function artefactsDue(tx: Tx, limit: number): Promise<readonly Artefact[]> {
  const rows = await tx.db
    .selectFrom('hiu_artefact')
    .selectAll()
    .where('bucket', '>=', 0)
    .where('status', '=', 'granted')
    .where('erase_at', '<=', tx.now)
    .orderBy('erase_at')
    .limit(limit)
    .execute()
  return openAll(tx, rows)
}

async function openAll(tx: Tx, rows: readonly Selectable<HiuArtefactTable>[]): Promise<readonly Artefact[]> {
  const artefacts: Artefact[] = []
  for (const row of rows) artefacts.push(await openArtefact(tx, row))
  return artefacts
}

type GrantedText = { readonly terms: TermsText; readonly hip: Granted['hip']; readonly raw: unknown }

async function openArtefact(tx: Tx, row: Selectable<HiuArtefactTable>): Promise<Artefact> {
  const text =
    row.detail === null
      ? undefined
      : ((await openJson(tx, detailPlace(row.id, row.patient), row.detail)) as GrantedText | undefined)
  return {
    id: row.id as Id<'artefact'>,
    consent: row.consent as Id<'hiu-consent'>,
    patient: row.patient as AbhaAddress,
    status: row.status as ArtefactStatus,
    toldAt: row.told_at,
    changedAt: row.changed_at,
    ...(row.fetch_request === null ? {} : { fetchRequest: row.fetch_request as Id<'request'> }),
    ...(text === undefined ? {} : { granted: { ...text, terms: readTerms(text.terms) } }),
    ...(row.signature === null ? {} : { signature: row.signature }),
    ...(row.erase_at === null ? {} : { eraseAt: row.erase_at }),
    ...(row.reason === null ? {} : { reason: row.reason }),
    ...(row.erased_at === null ? {} : { erasedAt: row.erased_at }),
  }
}

/** Moves an artefact; `granted` and `signature` come with the move to `checking`. */
export async function moveArtefact(
  tx: Tx,
  _recorded: Recorded<AuditEvent>,
  artefact: Pick<Artefact, 'id' | 'patient' | 'status'>,
  to: {
    readonly status: ArtefactStatus
    readonly fetchRequest?: string
    readonly granted?: Granted
    readonly signature?: string
    readonly reason?: string
  },
): Promise<void> {
  const detail =
    to.granted &&
    (await sealJson(tx, detailPlace(artefact.id, artefact.patient), {
      ...to.granted,
      terms: writeTerms(to.granted.terms),
    }))
  const result = await tx.db
    .updateTable('hiu_artefact')
    .set({
      status: to.status,
      changed_at: tx.now,
      reason: sealedOrNull(to.reason),
      ...(to.fetchRequest === undefined ? {} : { fetch_request: to.fetchRequest }),
      ...(detail === undefined ? {} : { detail }),
      ...(to.granted === undefined ? {} : { erase_at: to.granted.terms.dataEraseAt }),
      ...(to.signature === undefined ? {} : { signature: to.signature }),
    })
    .where('bucket', '=', bucketOf(artefact.patient))
    .where('id', '=', artefact.id)
    .where('status', '=', artefact.status)
    .executeTakeFirst()
  insistOnOne(result, `artefact ${artefact.id}`)
}
