import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { openTestDatabase, type TestDatabase } from '../../test/database.ts'
import { ONCE_PLAIN_COLUMNS, REFERENCE_COLUMNS, type ReferenceColumn, VEILED_COLUMNS } from './at-rest.ts'

let database: TestDatabase
describe('db/at-rest', () => {
  before(async () => {
    database = await openTestDatabase()
  })
  after(() => database.close())

  /**
   * What stands in each column that could hold words. `*.name` is any table's. Whoever adds a column says here what it is; what says
   * something about a patient belongs to the first four. Bytes called `sealed` or `sealed_…` are sealed.
   */
  const COLUMNS: Readonly<Record<string, readonly string[]>> = {
    'sealed under a key of the patient, of one artefact or of one request': [
      ...ONCE_PLAIN_COLUMNS.map(({ table, column }) => `${table}.${column}`),
      'audit_event.body',
      'emergency_access.account',
      'emergency_access.review',
      'facility_patient.demographics',
      'hip_artefact.detail',
      'joined_treatment.account',
      'joined_treatment.review',
      'hip_share.profile',
      'hiu_artefact.detail',
      'hiu_consent.asked',
      'hiu_document.findings',
      'hiu_request.secret',
      'hiu_request.provider_report',
      'hiu_subscription.terms',
      'hiu_subscription_event.content',
      'question.body',
      'question.answer',
      'received_question.body',
      'received_question.answer',
    ],
    'sealed by the connection under a key of the party': Object.entries(VEILED_COLUMNS).flatMap(([table, columns]) =>
      columns.map((column) => `${table}.${column}`),
    ),
    'sealed by the provider for the key of who asked': ['hip_page.body', 'own_fetch_page.body'],
    'a pseudonym in place of the address of a patient': [
      '*.patient',
      '*.abha_address',
      'linking_attempt.subject',
      'passkey.person',
      'seen_request.caller',
      'shown_notice.reader',
      'web_session.person',
      'message.peer',
    ],
    'a blind index, a keyed or salted hash, or the hash of a whole document or secret': [
      '*.digest',
      '*.otp_hash',
      '*.code_hash',
      '*.token_hash',
      '*.content_hash',
      '*.body_hash',
      '*.document_hash',
      '*.secret_hash',
      '*.password_hash',
      '*.sha256',
      '*.tie',
      'audit_event.patient_tag',
      'patient_identifier.hash',
      'sign_in_code.source',
      'hiu_erasure.hashes',
      'log_queue.commitment',
      'log_alarm.fingerprint',
    ],
    'a code from a list': [
      '*.status',
      '*.kind',
      '*.hi_type',
      '*.role',
      '*.roles',
      '*.scope',
      '*.outcome',
      '*.error_code',
      '*.category',
      '*.facility_types',
      '*.scopes',
      '*.how',
      '*.act',
      '*.method',
      '*.direction',
      '*.form',
      '*.proved_by',
      'audit_event.type',
      'consent_notice.party',
      'data_request.hip_status',
      'data_request.hiu_status',
      'audit_event.actor_kind',
      'hiu_copy.reason',
      'account_closing.hold_reason',
      'hiu_copy.hold_reason',
      'emergency_access.reason',
      'emergency_access.told',
      'emergency_access.on_paper',
      'hiu_consent.asked_role',
      'hiu_consent.template',
      'hiu_erasure.reason',
      'consent_artefact.kept_reason',
      'own_fetch_holder.reason_code',
      'shown_notice.language',
      'shown_notice.words_language',
      'shown_notice.version',
      'shown_notice.channel',
      'passkey.transports',
      'staff.registration',
      'visit.presence',
    ],
    'an id or the name of a facility, a bridge, a message, a counter, a queue or a key': [
      '*.hip',
      '*.hiu',
      '*.facility',
      '*.facilities',
      '*.requester',
      '*.client_id',
      '*.bridge',
      '*.origin',
      '*.lane',
      '*.request_id',
      '*.asked_by_request',
      '*.hiu_request_id',
      '*.key_wrap_id',
      '*.counter',
      'bridge.name',
      'bridge.url',
      'facility.id',
      'facility.name',
      'hiu_known_id.id',
      'hiu_subscription.exchange_id',
      'hiu_subscription.subscription_id',
      'hiu_subscription_event.event_id',
      'partner_client.name',
      'passkey.rp_id',
      'profile_share.token_number',
      'question.number',
      'received_question.number',
      'setting.name',
      'schema_migrations.name',
      'log_export.target',
      'log_timestamp.authority',
      'log_witness.name',
      '*.witness',
      'partner_client.jwks_uri',
      'partner_client.certificate_host',
      'staff_identity.issuer',
      'sso_session.issuer',
      'staff_sign_in.sso_issuer',
      'visit_attendant.attendant',
    ],
    'a pseudonym in place of the number under which a facility keeps a patient or a visit': REFERENCE_COLUMNS.map(
      ({ table, column }) => `${table}.${column}`,
    ),
    'a key that is public, a wrapped one, or a challenge': [
      '*.wrapped',
      '*.code_key',
      '*.key_material',
      '*.public_key',
      '*.challenge',
      'passkey.credential_id',
      'partner_client.jwks',
      'partner_client.certificates',
    ],
    'a signature over a random id and more, always empty where the detail is the exchange’s': ['*.signature'],
    'the public log and what is known of the logs of others': [
      'log_bundle.entries',
      'log_tile.hashes',
      '*.root',
      '*.note',
      'log_cosignature.line',
      'log_witness.fault',
      'log_export.fault',
      'log_alarm.detail',
      'log_alarm.evidence',
      'log_alarm.acknowledged_by',
      'log_alarm.reason',
      'log_row_fault.what',
      'log_timestamp.token',
    ],
    'about staff and their machines': [
      'withheld_look.proposed_by',
      'withheld_look.confirmed_by',
      'party_operator.name',
      'staff.login',
      'staff.name',
      'staff_identity.subject',
      'sso_session.subject',
      'sso_session.sid',
      'staff_sign_in.sso_subject',
      'staff_sign_in.sso_sid',
      'sample_staff.login',
      'sample_staff.password',
      'web_session.device',
    ],
    'a setting of this installation': ['setting.value', 'schema_migrations.checksum'],
  }

  test('every column that may hold words says what it holds; what says something about a patient is sealed', async () => {
    const { rows } = await database.pool.query<{ t: string; c: string; type: string }>(`
    select table_name t, column_name c, data_type as type from information_schema.columns
    where table_schema = 'public' and data_type in ('text', 'jsonb', 'json', 'bytea', 'ARRAY', 'character varying')
    order by 1, 2`)
    const known = new Set(Object.values(COLUMNS).flat())
    const saysSo = ({ c, type }: { c: string; type: string }): boolean => type === 'bytea' && /^sealed(_|$)/.test(c)
    const unknown = rows.filter((row) => !saysSo(row) && !known.has(`${row.t}.${row.c}`) && !known.has(`*.${row.c}`))
    assert.deepEqual(
      unknown.map(({ t, c }) => `${t}.${c}`),
      [],
      'say in at-rest.db.test.ts what these columns hold, and seal what says something about a patient',
    )
    const there = new Set(rows.flatMap(({ t, c }) => [`${t}.${c}`, `*.${c}`]))
    assert.deepEqual(
      [...known].filter((name) => !there.has(name)),
      [],
      'these columns are no more',
    )
    const sealed = ONCE_PLAIN_COLUMNS.map(({ table, column }) => `${table}.${column}`)
    assert.deepEqual(
      rows.filter(({ t, c, type }) => sealed.includes(`${t}.${c}`) && type !== 'bytea').map(({ t, c }) => `${t}.${c}`),
      [],
    )
  })

  test('the database itself refuses a number of a facility in plain', async () => {
    const { rows } = await database.pool.query<{ place: string; check: string }>(`
    select conrelid::regclass::text as place, pg_get_constraintdef(oid) as check from pg_constraint where contype in ('c', 'f')`)
    const isChecked = ({ table, column, follows }: ReferenceColumn): boolean => {
      const wanted = follows === undefined ? `(${column} ~~ 'pt1.%'::text)` : `, ${column}) REFERENCES ${follows}(`
      return rows.some(({ place, check }) => place === table && check.includes(wanted))
    }
    assert.deepEqual(
      REFERENCE_COLUMNS.filter((column) => !isChecked(column)),
      [],
    )
    await assert.rejects(
      database.pool.query(`insert into patient_identifier values (1, 'name', '\\x00', $1)`, ['22-7225']),
      /patient_identifier_covered/,
    )
  })
})
