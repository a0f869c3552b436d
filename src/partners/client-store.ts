import { type Selectable, sql } from 'kysely'
import type { Recorded } from '../audit/record.ts'
import type { PartnerClientTable } from '../db/tables.generated.ts'
import { insistOnOne, type Tx } from '../db/tx.ts'
import type { FacilityId } from '../kernel/id.ts'
import { insistOnMove } from '../kernel/moves.ts'
import { type Client, type ClientCertificates, type ClientEvent, type ClientKeys, MOVES } from './client.ts'

function readClient(row: Selectable<PartnerClientTable>): Client {
  const keys: ClientKeys | undefined =
    row.jwks_uri !== null
      ? { kind: 'published', address: row.jwks_uri }
      : row.jwks === null
        ? undefined
        : { kind: 'inline', jwks: row.jwks as Extract<ClientKeys, { kind: 'inline' }>['jwks'] }
  return {
    clientId: row.client_id,
    name: row.name,
    facilities: row.facilities as FacilityId[],
    scopes: row.scopes,
    ...(keys === undefined ? {} : { keys }),
    certificates: {
      thumbprints: row.certificates,
      ...(row.certificate_host === null ? {} : { host: row.certificate_host }),
    },
    bearerAllowed: row.bearer_allowed,
    status: row.status as Client['status'],
    tokensFrom: row.tokens_from,
  }
}

export async function findClient(tx: Tx, clientId: string): Promise<Client | undefined> {
  const row = await tx.db.selectFrom('partner_client').selectAll().where('client_id', '=', clientId).executeTakeFirst()
  return row === undefined ? undefined : readClient(row)
}

export async function findClients(tx: Tx): Promise<readonly Client[]> {
  const rows = await tx.db.selectFrom('partner_client').selectAll().orderBy('client_id').execute()
  return rows.map(readClient)
}

function provenBy(keys: ClientKeys | undefined, certificates: ClientCertificates) {
  return {
    jwks: keys?.kind === 'inline' ? JSON.stringify(keys.jwks) : null,
    jwks_uri: keys?.kind === 'published' ? keys.address : null,
    certificates: [...certificates.thumbprints],
    certificate_host: certificates.host ?? null,
  }
}

/** False when the client id is taken. */
export async function insertClient(
  tx: Tx,
  { event }: Recorded<ClientEvent>,
  client: Omit<Client, 'clientId' | 'status' | 'tokensFrom'>,
): Promise<boolean> {
  const inserted = await tx.db
    .insertInto('partner_client')
    .values({
      client_id: event.subject,
      name: client.name,
      facilities: [...client.facilities],
      scopes: [...client.scopes],
      ...provenBy(client.keys, client.certificates),
      bearer_allowed: client.bearerAllowed,
      status: 'active',
      tokens_from: tx.now,
      registered_at: tx.now,
      changed_at: tx.now,
    })
    .onConflict((c) => c.column('client_id').doNothing())
    .executeTakeFirst()
  return inserted.numInsertedOrUpdatedRows === 1n
}

/** Other keys or certificates in place of those there were; what was made with the old ones is void. */
export async function updateClientKeys(
  tx: Tx,
  { event }: Recorded<ClientEvent>,
  proof: { readonly keys?: ClientKeys; readonly certificates: ClientCertificates },
): Promise<void> {
  const updated = await tx.db
    .updateTable('partner_client')
    .set({ ...provenBy(proof.keys, proof.certificates), tokens_from: tx.now, changed_at: tx.now })
    .where('client_id', '=', event.subject)
    .executeTakeFirst()
  insistOnOne(updated, `client ${event.subject}`)
}

export async function updateClientStatus(
  tx: Tx,
  { event }: Recorded<ClientEvent>,
  from: Client['status'],
  to: Client['status'],
): Promise<void> {
  insistOnMove(MOVES, from, to, 'client')
  const updated = await tx.db
    .updateTable('partner_client')
    .set({ status: to, tokens_from: tx.now, changed_at: tx.now })
    .where('client_id', '=', event.subject)
    .where('status', '=', from)
    .executeTakeFirst()
  insistOnOne(updated, `client ${event.subject}`)
}

/** Takes a proof that is good once: false when it was taken before. Of two at the same time, the second waits and sees the first. */
export async function takeProof(tx: Tx, digest: Uint8Array, expiresAt: Date): Promise<boolean> {
  const taken = await tx.db
    .insertInto('partner_proof_used')
    .values({ digest, expires_at: expiresAt })
    .onConflict((c) => c.column('digest').doNothing())
    .executeTakeFirst()
  return taken.numInsertedOrUpdatedRows === 1n
}

/** Proofs that nobody could use again in any case; a few at a time, those that no other transaction is at. */
export async function deleteExpiredProofs(tx: Tx, countMax: number): Promise<void> {
  await sql`delete from partner_proof_used where digest in
    (select digest from partner_proof_used where expires_at < ${tx.now} limit ${countMax} for update skip locked)`.execute(
    tx.db,
  )
}
