import type { Tx } from '../db/tx.ts'
import { readReceived, sizeOfReceived, type WithheldDocument } from '../hiu/reading.ts'
import type { StaffCaller } from '../kernel/caller.ts'
import { LIMITS } from '../kernel/limits.ts'
import { isRefusal, type Refusal, refuse } from '../kernel/refusal.ts'
import type { PurposeCode } from '../policy/purpose.ts'
import { readPatient } from '../records/commands.ts'
import { exportsOf } from '../records/rules.ts'
import { denyOwnView, sizeOfOwnRecords, viewOwnRecords } from '../records/view.ts'
import { lookAtPatient } from './looks.ts'
import type { DeskReadingNeeds } from './reading.ts'

/** A FHIR collection of documents; each entry is a document bundle as it was written or came. */
export type ExportBundle = {
  readonly resourceType: 'Bundle'
  readonly type: 'collection'
  readonly timestamp: string
  readonly meta: { readonly security: readonly { readonly system: string; readonly code: string }[] }
  readonly entry: readonly { readonly fullUrl: string; readonly resource: unknown }[]
}

export type RecordsExport = {
  readonly bundle: ExportBundle
  readonly own: number
  readonly received: number
  /** What stays here, and why. */
  readonly withheld: readonly Pick<WithheldDocument, 'id' | 'hiType' | 'why'>[]
  /** Our own that cannot be read any more. */
  readonly unreadable: number
  /** Where more of our own may lie, which no desk reads. */
  readonly elsewhere: readonly ('folder' | 'fhir')[]
}

/**
 * Takes the records of one patient out as a file: our own, and what others sent under a consent for the same purpose. Each passes the
 * gate and is recorded as taken out, before it is opened. Refuses `records/not-yours`, which is recorded too, and `records/too-large`.
 */
export async function exportPatientRecords(
  tx: Tx,
  needs: DeskReadingNeeds,
  staff: StaffCaller,
  input: { readonly reference: string; readonly purpose: PurposeCode },
): Promise<RecordsExport | Refusal> {
  const patient = await readPatient(tx, input.reference)
  if (isRefusal(patient)) return patient
  await lookAtPatient(tx, needs, staff, patient.reference)
  const reading = exportsOf(staff.role).find(({ purpose }) => purpose === input.purpose)
  if (reading === undefined) {
    await denyOwnView(tx, needs, { patient, staff, purpose: input.purpose })
    return refuse('records/not-yours')
  }
  const { id, name, role } = staff
  const viewer = { name, role, purpose: reading.purpose, staff: id, takesOut: true } as const
  const { abhaAddress } = patient
  const received = abhaAddress === undefined ? 0 : await sizeOfReceived(tx, abhaAddress, viewer)
  // Before anything is recorded as taken out.
  if ((await sizeOfOwnRecords(tx, patient)) + received > LIMITS.exportBytesMax) return refuse('records/too-large')
  const own = await viewOwnRecords(tx, needs, { patient, staff, reading, as: 'records.exported' })
  const { shown, withheld } =
    abhaAddress === undefined
      ? { shown: [], withheld: [] }
      : await readReceived(tx, needs, { patient: abhaAddress, viewer, types: reading.received })
  const readable = own.filter(({ document }) => document !== undefined)
  return {
    bundle: collect(tx.now, reading.purpose, [...readable, ...shown]),
    own: readable.length,
    received: shown.length,
    withheld: withheld.map((one) => ({ id: one.id, hiType: one.hiType, why: one.why })),
    unreadable: own.length - readable.length,
    elsewhere: needs.recordsElsewhere,
  }
}

/** Labels (HL7 Healthcare Privacy and Security): for this purpose, and nobody who gets the file may pass it on without the patient. */
function collect(
  now: Date,
  purpose: PurposeCode,
  documents: readonly { readonly id: string; readonly document?: unknown }[],
): ExportBundle {
  return {
    resourceType: 'Bundle',
    type: 'collection',
    timestamp: now.toISOString(),
    meta: {
      security: [
        { system: 'http://terminology.hl7.org/CodeSystem/v3-ActReason', code: purpose },
        { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'NORDSCLCD' },
      ],
    },
    entry: documents.map(({ id, document }) => ({ fullUrl: `urn:uuid:${id}`, resource: document })),
  }
}
