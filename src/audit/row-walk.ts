import { type Machine, type Tx, transact } from '../db/tx.ts'
import { LIMITS } from '../kernel/limits.ts'
import { FIRST_PATIENT, type PatientPlace, patientsWithKeys } from '../vault/data-keys.ts'
import { checkRows, checkRowsAbout, type RowFault } from './check-rows.ts'
import { insertRowFault, latestCheckpoint } from './store.ts'

export type RowWalkLimits = { readonly leaves: number; readonly patients: number }

/**
 * A walk over all stored events, a bounded part at each turn, round and round: leaves in order, for rows that are gone and rows about
 * nobody; patients in order, for rows that only their key opens. It begins anywhere, so that often restarted programs see everything
 * too. A turn gives the faults that were not known before, and keeps them.
 */
export function makeRowWalk(
  machine: Machine,
  limits: RowWalkLimits = { leaves: LIMITS.logLeavesPerCheckMax, patients: LIMITS.logPatientsPerCheckMax },
): () => Promise<readonly RowFault[]> {
  const begin = Buffer.from(machine.random(7))
  let leaf: number | undefined
  let patient: PatientPlace = { bucket: begin.readUInt8(6) - 1, patient: '' }

  const turnOfLeaves = async (): Promise<readonly RowFault[]> => {
    const size = (await latestCheckpoint(machine.db))?.size ?? 0
    if (size === 0) return []
    const start = leaf === undefined ? begin.readUIntBE(0, 6) % size : leaf % size
    const end = Math.min(start + limits.leaves, size)
    const faults = await transact(machine, async (tx) => keepNew(tx, (await checkRows(tx, start, end)).faults))
    leaf = end
    return faults
  }
  const turnOfPatients = async (): Promise<readonly RowFault[]> => {
    const found: RowFault[] = []
    const next = await transact(machine, (tx) => patientsWithKeys(tx, patient, limits.patients))
    for (const { patient: address } of next)
      found.push(...(await transact(machine, async (tx) => keepNew(tx, (await checkRowsAbout(tx, address)).faults))))
    patient = next.length < limits.patients ? FIRST_PATIENT : (next.at(-1) ?? FIRST_PATIENT)
    return found
  }
  return async () => [...(await turnOfLeaves()), ...(await turnOfPatients())]
}

async function keepNew(tx: Tx, faults: readonly RowFault[]): Promise<readonly RowFault[]> {
  const fresh: RowFault[] = []
  for (const fault of faults) if (await insertRowFault(tx, fault.event, fault.what)) fresh.push(fault)
  return fresh
}
