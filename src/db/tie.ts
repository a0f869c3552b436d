import { createHash } from 'node:crypto'
import { tied, unmarked } from './veil.ts'

/**
 * The tables by whose rows somebody proves who they are, or what they may do, or by whose word the exchange signs. Each row carries a
 * **tie** over the columns named here: it is made by the connection with a key that is not in the database, so that who can only write
 * there cannot add, copy or change a row. What is not named may move freely: a counter that only helps to notice copies, a name that a
 * person gives her key, a wrapped key.
 */
export const TIED_COLUMNS = {
  web_session: ['digest', 'id', 'kind', 'person', 'how', 'device', 'opened_at', 'seen_at', 'expires_at'],
  passkey: ['bucket', 'credential_id', 'kind', 'person', 'public_key', 'transports', 'rp_id', 'added_at'],
  sign_in_code: [
    'id',
    'abha_address',
    'source',
    'code_hash',
    'carried_by',
    'status',
    'wrong_tries',
    'asked_at',
    'expires_at',
  ],
  step_up: [
    'id',
    'session',
    'act',
    'subject',
    'status',
    'code_hash',
    'challenge',
    'origin',
    'wrong_tries',
    'asked_at',
    'expires_at',
  ],
  staff: ['id', 'login', 'name', 'role', 'registration', 'status', 'password_hash', 'sealed_code_secret', 'added_at'],
  staff_confirmation: ['staff', 'status', 'asked_by', 'asked_at', 'confirmed_by', 'confirmed_at'],
  staff_invitation: ['digest', 'staff', 'status', 'made_at', 'expires_at'],
  staff_sign_in: ['digest', 'staff', 'proved_by', 'sso_issuer', 'sso_subject', 'sso_sid', 'expires_at'],
  staff_identity: ['issuer', 'subject', 'staff', 'linked_at'],
  staff_sso_permit: ['staff', 'expires_at'],
  staff_recovery_code: ['staff', 'digest', 'made_at'],
  party_operator: ['name', 'status', 'sealed_code_secret', 'code_step_used', 'enrolled_at'],
  sso_sign_in: ['digest', 'origin', 'session', 'expires_at'],
  bridge: ['client_id', 'name', 'url', 'secret_hash', 'status', 'sessions_from'],
  facility: ['id', 'bridge', 'name', 'roles', 'status', 'is_government', 'facility_types'],
  partner_client: [
    'client_id',
    'name',
    'facilities',
    'scopes',
    'jwks',
    'jwks_uri',
    'certificates',
    'certificate_host',
    'bearer_allowed',
    'status',
    'tokens_from',
  ],
  refresh_token: ['digest', 'client_id', 'family', 'issued_at', 'expires_at'],
  approval_policy: ['bucket', 'id', 'patient', 'hiu', 'enabled', 'terms', 'created_at', 'changed_at'],
} as const

export type TiedTable = keyof typeof TIED_COLUMNS
/** What a tie is made of: every column, as written or as read. */
export type TiedRow<Table extends TiedTable> = { readonly [Column in (typeof TIED_COLUMNS)[Table][number]]: unknown }

/** In place of a tie, where a row is over for good: no row that anybody may use has it. */
export const UNTIED = 'over'

/** A row on its way into the database, with its tie. */
export function withTie<Table extends TiedTable, Row extends TiedRow<Table>>(
  table: Table,
  row: Row,
): Row & { readonly tie: string } {
  return { ...row, tie: tied(digestOf(table, row)) }
}

/** Whether a row that was read is as this program wrote it. */
export function isTied<Table extends TiedTable>(table: Table, row: TiedRow<Table> & { readonly tie: string }): boolean {
  return row.tie === tied(digestOf(table, row))
}

/** The columns to select where a row has to be believed. */
export function tiedColumns<Table extends TiedTable>(
  table: Table,
): readonly ((typeof TIED_COLUMNS)[Table][number] | 'tie')[] {
  return [...TIED_COLUMNS[table], 'tie']
}

/** SHA-256, base64url, of the table and of each column in turn. */
export function digestOf<Table extends TiedTable>(table: Table, row: TiedRow<Table>): string {
  const columns: readonly string[] = TIED_COLUMNS[table]
  const values = row as Readonly<Record<string, unknown>>
  return createHash('sha256')
    .update(JSON.stringify([table, ...columns.map((column) => plain(values[column]))]))
    .digest('base64url')
}

/** One form for what is written and what is read: PostgreSQL keeps the fields of jsonb in an order of its own. */
function plain(value: unknown): unknown {
  if (value === undefined || value === null) return null
  if (typeof value === 'string') return unmarked(value)
  if (value instanceof Date) return value.toISOString()
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64url')
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value === 'object')
    return Object.entries(value)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, field]) => [name, plain(field)])
  return value
}
