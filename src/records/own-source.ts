import { transact } from '../db/tx.ts'
import type { DocumentInput } from '../fhir/build/inputs.ts'
import { refuse } from '../kernel/refusal.ts'
import { displayOf, type RecordSource } from './record.ts'
import { listRecords, openRecord } from './store.ts'

/** The facility's own store, `clinical_record`. */
export const ownSource: RecordSource = {
  name: 'own',
  list: async (machine, patient) => {
    const records = await transact(machine, (tx) => listRecords(tx, patient.reference))
    return records.map(({ id, careContextReference, hiType, date }) => ({
      key: id,
      careContextReference,
      hiType,
      date,
      display: displayOf(hiType, date),
    }))
  },
  read: async (machine, patient, head, access) => {
    const found = await transact(machine, (tx) => openRecord(tx, access, patient.reference, head.key))
    if (found === undefined) return refuse('records/unreadable', 'The record was erased.')
    if (found.form === 'document') return { form: 'document', bytes: found.content }
    return {
      form: 'input',
      bundleId: found.id,
      input: JSON.parse(new TextDecoder().decode(found.content)) as DocumentInput,
    }
  },
}
