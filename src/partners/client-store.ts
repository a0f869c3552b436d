import { type Selectable, sql } from 'kysely'
import type { Recorded } from '../audit/record.ts'
import { asWritten, eachAsWritten } from '../audit/watch/tampered.ts'
import type { PartnerClientTable } from '../db/tables.generated.ts'
import { withTie } from '../db/tie.ts'
import { insistOnOne, StaleRow, type Tx } from '../db/tx.ts'
import type { FacilityId } from '../kernel/id.ts'
import { insistOnMove } from '../kernel/moves.ts'
import { type Client, type ClientCertificates, type ClientEvent, type ClientKeys, MOVES } from './client.ts'

type ClientRow = Selectable<PartnerClientTable>

function readClient(row: ClientRow): Client {
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

/** With `lock` until the transaction ends, so that the log has two changes in the order in which the row had them. */
export async function findClient(tx: Tx, clientId: string, lock = false): Promise<Client | undefined> {
  const query = tx.db.selectFrom('partner_client').selectAll().where('client_id', '=', clientId)
  const found = await (lock ? query.forUpdate() : query).executeTakeFirst()
  const row = await asWritten(tx, 'partner_client', found)
  return row === undefined ? undefined : readClient(row)
}

/** A page of clients by id, from behind one on; `next` is the last one's, when there are more behind it. */
export async function clientsBehind(
  tx: Tx,
  { after = '', limit }: { readonly after?: string | undefined; readonly limit: number },
): Promise<{ readonly clients: readonly Client[]; readonly next?: string }> {
  const rows = await tx.db
    .selectFrom('partner_client')
    .selectAll()
    .where('client_id', '>', after)
    .orderBy('client_id')
    // One more than asked for says whether there is more; rows that are not as written are left out of the page, not of the count.
    .limit(limit + 1)
    .execute()
  const clients = (await eachAsWritten(tx, 'partner_client', rows.slice(0, limit))).map(readClient)
  const last = rows[limit - 1]
  return { clients, ...(last === undefined || rows.length <= limit ? {} : { next: last.client_id }) }
}

function provenBy(keys: ClientKeys | undefined, certificates: ClientCertificates) {
  return {
    jwks: keys?.kind === 'inline' ? keys.jwks : null,
    jwks_uri: keys?.kind === 'published' ? keys.address : null,
    certificates: [...certificates.thumbprints],
    certificate_host: certificates.host ?? null,
  }
}

/** A row with its tie, and its keys as JSON text. */
function tiedClient(row: Omit<ClientRow, 'tie'>) {
  return { ...withTie('partner_client', row), jwks: row.jwks === null ? null : JSON.stringify(row.jwks) }
}

/**
 * Changes a row that is as this program wrote it, and ties it anew; what was made with it before is void.
 * @throws StaleRow when it is not there, or somebody changed it in the database: a new tie would hide that
 */
async function changeClient(
  tx: Tx,
  clientId: string,
  change: (row: ClientRow) => Partial<ClientRow> | undefined,
): Promise<void> {
  const locked = await tx.db
    .selectFrom('partner_client')
    .selectAll()
    .where('client_id', '=', clientId)
    .forUpdate()
    .executeTakeFirst()
  const row = await asWritten(tx, 'partner_client', locked)
  const changed = row && change(row)
  if (row === undefined || changed === undefined) throw new StaleRow(`client ${clientId}`)
  const updated = await tx.db
    .updateTable('partner_client')
    .set(tiedClient({ ...row, ...changed, tokens_from: tx.now, changed_at: tx.now }))
    .where('client_id', '=', clientId)
    .executeTakeFirst()
  insistOnOne(updated, `client ${clientId}`)
}

/** False when the client id is taken. */
export async function insertClient(
  tx: Tx,
  { event }: Recorded<ClientEvent>,
  client: Omit<Client, 'clientId' | 'status' | 'tokensFrom'>,
): Promise<boolean> {
  const inserted = await tx.db
    .insertInto('partner_client')
    .values(
      tiedClient({
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
      }),
    )
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
  await changeClient(tx, event.subject, () => provenBy(proof.keys, proof.certificates))
}

export async function updateClientStatus(
  tx: Tx,
  { event }: Recorded<ClientEvent>,
  from: Client['status'],
  to: Client['status'],
): Promise<void> {
  insistOnMove(MOVES, from, to, 'client')
  await changeClient(tx, event.subject, ({ status }) => (status === from ? { status: to } : undefined))
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
