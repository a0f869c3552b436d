/**
 * Which columns hold something about a patient and are therefore sealed. `at-rest.db.test.ts` goes through every column of the schema: a
 * new one that may hold words fails until it is named here or among those that need no seal.
 */

/** Sealed by the connection under a key of the party (`sealed`, `sealedJson` of `veil.ts`): the party's own work, kept for days. */
export const VEILED_COLUMNS: Readonly<Record<string, readonly string[]>> = {
  consent_notice: ['failure'],
  hip_discovery: ['offered'],
  hip_link_call: ['error'],
  hip_link_otp: ['chosen'],
  hip_page: ['error'],
  hip_request: ['push_url', 'omissions', 'refusal'],
  hiu_artefact: ['reason'],
  hiu_consent: ['reason'],
  hiu_document: ['reason'],
  hiu_early_notice: ['notice'],
  hiu_entry: ['reason'],
  hiu_erasure: ['attestation_refused'],
  hiu_page: ['findings'],
  hiu_request: ['reason'],
  hiu_subscription: ['reason'],
  job: ['payload', 'last_error'],
  message: ['path', 'body', 'answer', 'error'],
  message_content: ['headers', 'body', 'answer_headers', 'answer', 'resend'],
  own_fetch_holder: ['reason_says', 'outcomes'],
  passkey: ['name'],
  profile_share: ['error_message'],
  seen_request: ['answer'],
  text_message: ['mobile', 'words'],
}

/** A column sealed under the key of its row's patient (`vault/sealed-json.ts`), which stood in plain before release 0.2. */
export type SealedColumn = {
  readonly table: string
  readonly column: string
  /** The columns that name the row and whose key it is. */
  readonly row: string
  readonly patient: string
  /** What stood there: JSON, or words. */
  readonly was: 'json' | 'words'
}

const ofPatient = (table: string, was: SealedColumn['was'], ...columns: readonly string[]): readonly SealedColumn[] =>
  columns.map((column) => ({ table, column, row: 'id', patient: 'patient', was }))

export const ONCE_PLAIN_COLUMNS: readonly SealedColumn[] = [
  ...ofPatient('approval_policy', 'json', 'terms'),
  ...ofPatient('consent_artefact', 'words', 'detail'),
  ...ofPatient('consent_request', 'json', 'asked'),
  ...ofPatient('consent_request', 'words', 'reason'),
  ...ofPatient('data_request', 'json', 'hip_responses', 'hiu_responses'),
  ...ofPatient('data_request', 'words', 'error_message'),
  ...ofPatient('subscription', 'json', 'request', 'terms'),
  ...ofPatient('subscription', 'words', 'reason'),
  {
    table: 'hip_link_call',
    column: 'care_contexts',
    row: 'request_id',
    patient: 'patient_reference',
    was: 'json',
  },
]

/** A column that holds the pseudonym of a facility's number for a patient or a visit, or something made of one (`pseudonym` of `veil.ts`). */
export type ReferenceColumn = {
  readonly table: string
  readonly column: string
  /** The column whose text it belongs to (`pseudonymOf`): the same number elsewhere has another pseudonym. */
  readonly within?: string
  /** The table that a foreign key ties it to, so that it changes with the number there. */
  readonly follows?: string
}

const references = (table: string, ...columns: readonly string[]): readonly ReferenceColumn[] =>
  columns.map((column) => ({ table, column }))
const referencesWithin = (table: string, within: string, ...columns: readonly string[]): readonly ReferenceColumn[] =>
  columns.map((column) => ({ table, column, within }))

/**
 * Each has a check in the schema that refuses what is no pseudonym, or follows one that has. What an earlier release wrote is covered in
 * this order: a record's own number before its patient's, since its check looks at both moments.
 */
export const REFERENCE_COLUMNS: readonly ReferenceColumn[] = [
  ...references('clinical_record', 'care_context_reference'),
  ...references('facility_patient', 'reference'),
  { table: 'clinical_record', column: 'patient_reference', follows: 'facility_patient' },
  { table: 'visit', column: 'patient_reference', follows: 'facility_patient' },
  ...references('patient_identifier', 'reference'),
  ...references('data_key', 'patient'),
  ...references('emergency_access', 'patient_reference'),
  ...references('joined_treatment', 'patient_reference'),
  ...references('desk_look', 'what'),
  ...references('step_up', 'subject'),
  ...references('hip_discovery', 'patient_reference'),
  ...references('hip_link', 'patient_reference', 'care_context_reference'),
  ...references('hip_link_call', 'patient_reference'),
  ...references('hip_link_otp', 'patient_reference'),
  ...references('hip_link_token', 'patient_reference'),
  ...references('hip_page', 'care_context_reference'),
  ...references('hip_share', 'patient_reference'),
  ...referencesWithin('hiu_document', 'hip', 'care_context_reference'),
  ...referencesWithin('hiu_entry', 'request', 'care_context_reference'),
  ...referencesWithin('care_context', 'hip', 'patient_reference', 'care_context_reference'),
  ...referencesWithin('linking_transaction', 'patient', 'link_reference'),
]
