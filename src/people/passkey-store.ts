import type { AuditEvent, Recorded } from '../audit/record.ts'
import { asWritten, eachAsWritten } from '../audit/watch/tampered.ts'
import { withTie } from '../db/tie.ts'
import { insistOnOne, type Tx } from '../db/tx.ts'
import { sealed } from '../db/veil.ts'
import { bucketOf } from '../kernel/bucket.ts'
import { type Bucket, bucketOfId, type Id } from '../kernel/id.ts'
import type { Challenge, KeyOwner, StoredPasskey } from './passkey.ts'

/** Where a person's passkeys live. */
export function bucketOfOwner({ kind, person }: KeyOwner): Bucket {
  return kind === 'patient' ? bucketOf(person) : bucketOfId(person as Id<'staff'>)
}

type Row = {
  readonly credential_id: Uint8Array
  readonly kind: string
  readonly person: string
  readonly name: string
  readonly public_key: Uint8Array
  readonly counter: string | number
  readonly transports: string[]
  readonly rp_id: string
  readonly added_at: Date
  readonly used_at: Date | null
}

function passkeyOf(row: Row): StoredPasskey {
  return {
    id: Buffer.from(row.credential_id).toString('base64url'),
    kind: row.kind as KeyOwner['kind'],
    person: row.person,
    name: row.name,
    publicKey: new Uint8Array(row.public_key),
    counter: Number(row.counter),
    transports: row.transports,
    rpId: row.rp_id,
    addedAt: row.added_at,
    usedAt: row.used_at ?? undefined,
  }
}

const bytesOf = (id: string): Buffer => Buffer.from(id, 'base64url')

/** False when this credential is known already. */
export async function insertPasskey(
  tx: Tx,
  _recorded: Recorded<AuditEvent>,
  passkey: Omit<StoredPasskey, 'addedAt' | 'usedAt'>,
): Promise<boolean> {
  const inserted = await tx.db
    .insertInto('passkey')
    .values(
      withTie('passkey', {
        bucket: bucketOfOwner(passkey),
        credential_id: bytesOf(passkey.id),
        kind: passkey.kind,
        person: passkey.person,
        // Her own words for it.
        name: sealed(passkey.name),
        public_key: Buffer.from(passkey.publicKey),
        counter: passkey.counter,
        transports: [...passkey.transports],
        rp_id: passkey.rpId,
        added_at: tx.now,
      }),
    )
    .onConflict((c) => c.columns(['bucket', 'credential_id']).doNothing())
    .executeTakeFirst()
  return inserted.numInsertedOrUpdatedRows === 1n
}

export async function findPasskeysOf(tx: Tx, owner: KeyOwner): Promise<readonly StoredPasskey[]> {
  const rows = await tx.db
    .selectFrom('passkey')
    .selectAll()
    .where('bucket', '=', bucketOfOwner(owner))
    .where('kind', '=', owner.kind)
    .where('person', '=', owner.person)
    .orderBy('added_at', 'desc')
    .execute()
  return (await eachAsWritten(tx, 'passkey', rows)).map(passkeyOf)
}

/** Locked: two assertions with one counter do not both count. */
export async function lockPasskey(tx: Tx, bucket: Bucket, id: string): Promise<StoredPasskey | undefined> {
  const found = await tx.db
    .selectFrom('passkey')
    .selectAll()
    .where('bucket', '=', bucket)
    .where('credential_id', '=', bytesOf(id))
    .forUpdate()
    .executeTakeFirst()
  const row = await asWritten(tx, 'passkey', found)
  return row === undefined ? undefined : passkeyOf(row)
}

const one = (tx: Tx, owner: KeyOwner, id: string) =>
  tx.db
    .updateTable('passkey')
    .where('bucket', '=', bucketOfOwner(owner))
    .where('credential_id', '=', bytesOf(id))
    .where('kind', '=', owner.kind)
    .where('person', '=', owner.person)

/** After a good assertion: the sign-in or step-up that it is for is what is recorded. */
export async function updatePasskeyUsed(tx: Tx, passkey: StoredPasskey, counter: number): Promise<void> {
  insistOnOne(await one(tx, passkey, passkey.id).set({ counter, used_at: tx.now }).executeTakeFirst(), 'passkey')
}

export async function updatePasskeyName(
  tx: Tx,
  _recorded: Recorded<AuditEvent>,
  owner: KeyOwner,
  id: string,
  name: string,
): Promise<void> {
  insistOnOne(
    await one(tx, owner, id)
      .set({ name: sealed(name) })
      .executeTakeFirst(),
    'passkey',
  )
}

export async function deletePasskey(
  tx: Tx,
  _recorded: Recorded<AuditEvent>,
  owner: KeyOwner,
  id: string,
): Promise<void> {
  await tx.db
    .deleteFrom('passkey')
    .where('bucket', '=', bucketOfOwner(owner))
    .where('credential_id', '=', bytesOf(id))
    .where('kind', '=', owner.kind)
    .where('person', '=', owner.person)
    .execute()
}

export async function deletePasskeysOf(tx: Tx, _recorded: Recorded<AuditEvent>, owner: KeyOwner): Promise<void> {
  await tx.db
    .deleteFrom('passkey')
    .where('bucket', '=', bucketOfOwner(owner))
    .where('kind', '=', owner.kind)
    .where('person', '=', owner.person)
    .execute()
}

/** Keeps that a challenge was answered, until its time is over; false when it was answered before. */
export async function insertUsedChallenge(tx: Tx, { id, expiresAt }: Challenge): Promise<boolean> {
  const inserted = await tx.db
    .insertInto('used_passkey_challenge')
    .values({ id, expires_at: expiresAt })
    .onConflict((c) => c.column('id').doNothing())
    .executeTakeFirst()
  return inserted.numInsertedOrUpdatedRows === 1n
}

export async function deleteChallengesBefore(tx: Tx, before: Date): Promise<void> {
  await tx.db.deleteFrom('used_passkey_challenge').where('expires_at', '<', before).execute()
}
