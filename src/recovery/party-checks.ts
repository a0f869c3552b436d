import { checkRows, checkRowsAbout } from '../audit/check-rows.ts'
import { type OwnLog, vkeyOf } from '../audit/log.ts'
import { readOwnTree } from '../audit/own-tree.ts'
import type { Replay } from '../audit/replay.ts'
import { checkEverybody } from '../audit/replay-check.ts'
import { unacknowledged } from '../audit/replay-jobs.ts'
import { rootAt } from '../audit/successor.ts'
import { checkSigned, verifyTree } from '../audit/verify.ts'
import { ed25519Verifier } from '../crypto/signed-note.ts'
import { type Machine, transact } from '../db/tx.ts'
import { LIMITS } from '../kernel/limits.ts'
import { isRefusal } from '../kernel/refusal.ts'
import { patientsWithKeys } from '../vault/data-keys.ts'
import { erasedKeys, stillOpen } from '../vault/erased-keys.ts'
import type { WitnessViews } from './commands.ts'

/** One thing that a drill looked at. `passed` is absent where there was nothing to compare with, which is said, and is no failure. */
export type Check = {
  readonly database: string
  readonly check: string
  readonly passed?: boolean
  readonly detail: string
}

/** A party's database with its keys: the restored copy, or the running one. */
export type OpenParty = {
  readonly machine: Machine
  readonly log: OwnLog
  readonly logSeed: Uint8Array
  /** Which of its rows follow from its log, and how. */
  readonly replays: readonly Replay[]
  readonly close: () => Promise<void>
}

const PATIENTS_MAX = 500
const ERASED_MAX = 5_000

/** Everything that is checked of one restored party, with the running one and its witnesses where they can be reached. */
export async function checkParty(
  database: string,
  copy: OpenParty,
  live: OpenParty | undefined,
  views: WitnessViews,
): Promise<readonly Check[]> {
  return [
    ...(await checkLog(database, copy, live, views)),
    await checkAllRows(database, copy.machine),
    await checkPatients(database, copy.machine),
    await checkStandings(database, copy),
    await checkErased(database, copy.machine, live?.machine),
  ]
}

async function checkLog(
  database: string,
  copy: OpenParty,
  live: OpenParty | undefined,
  views: WitnessViews,
): Promise<readonly Check[]> {
  const tree = await readOwnTree(copy.machine.db)
  if (tree === undefined) return [{ database, check: 'log: tree', detail: 'the log is empty' }]
  const signed = checkSigned(tree.note, ed25519Verifier(copy.log.signer.key))
  if (isRefusal(signed))
    return [
      {
        database,
        check: 'log: tree',
        passed: false,
        detail: `the checkpoint is not signed by ${vkeyOf(copy.log)}: ${signed.detail}`,
      },
    ]
  const { size, root } = signed.checkpoint
  const verified = await verifyTree(tree.source, signed)
  const found: Check[] = [
    isRefusal(verified)
      ? { database, check: 'log: tree', passed: false, detail: verified.detail }
      : {
          database,
          check: 'log: tree',
          passed: true,
          detail: `${size} entries in ${verified.bundles} bundles and ${verified.tiles} tiles hash to the signed root`,
        },
  ]
  const same = async (machine: Machine, at: number, wanted: Uint8Array): Promise<boolean> =>
    Buffer.from(await rootAt(machine.db, at)).equals(Buffer.from(wanted))
  if (live === undefined)
    found.push({ database, check: 'log: running party', detail: 'the running party was not reached' })
  else {
    const passed = await same(live.machine, size, root)
    found.push({
      database,
      check: 'log: running party',
      passed,
      detail: passed
        ? `its log continues the restored one of ${size} entries`
        : 'its log is not a continuation of the restored one',
    })
  }
  for (const seen of views.seen) {
    const within = seen.size <= size ? copy.machine : live?.machine
    const check = `log: witness ${seen.witness}`
    if (within === undefined)
      found.push({
        database,
        check,
        detail: `it saw ${seen.size} entries, ${seen.size - size} more than were restored`,
      })
    else {
      const passed = seen.size === 0 || (await same(within, seen.size, seen.root))
      found.push({
        database,
        check,
        passed,
        detail: passed ? `it saw the same tree (${seen.size} entries)` : `it saw another tree of ${seen.size} entries`,
      })
    }
  }
  for (const witness of views.silent)
    found.push({ database, check: `log: witness ${witness}`, detail: 'it did not answer' })
  return found
}

/** Every event of nobody's is what its leaf commits to, and those of patients are there. */
export async function checkAllRows(database: string, machine: Machine): Promise<Check> {
  const tree = await readOwnTree(machine.db)
  const count = { checked: 0, sealed: 0, faults: 0 }
  for (let start = 0; start < (tree?.size ?? 0); start += LIMITS.logLeavesPerCheckMax) {
    const part = await transact(machine, (tx) =>
      checkRows(tx, start, Math.min(start + LIMITS.logLeavesPerCheckMax, tree?.size ?? 0)),
    )
    count.checked += part.checked
    count.sealed += part.sealed
    count.faults += part.faults.length
  }
  const detail = `${count.checked} open events are what the log says, ${count.sealed} about patients are there, ${count.faults} are gone or changed`
  return { database, check: 'events: every row', passed: count.faults === 0, detail }
}

/** Events of patients open with their keys and are what the log says. */
export async function checkPatients(database: string, machine: Machine): Promise<Check> {
  const patients = await transact(machine, (tx) => patientsWithKeys(tx, { bucket: -1, patient: '' }, PATIENTS_MAX))
  const count = { opened: 0, faults: 0 }
  for (const { patient } of patients) {
    const part = await transact(machine, (tx) => checkRowsAbout(tx, patient))
    count.opened += part.checked
    count.faults += part.faults.length
  }
  const detail = `${count.opened} events of ${patients.length} patients open with the keys and are what the log says, ${count.faults} are not`
  return {
    database,
    check: 'patients: events open',
    passed: count.faults === 0 && (patients.length === 0 || count.opened > 0),
    detail,
  }
}

/**
 * What stands in rows about consents, staff, partners and visits is what the log says of them. What an operator acknowledged was looked
 * into, and fails nothing. `say` hears each of the others.
 */
export async function checkStandings(
  database: string,
  { machine, replays }: Pick<OpenParty, 'machine' | 'replays'>,
  say: (detail: string) => void = () => {},
): Promise<Check> {
  const { patients, found: all } = await checkEverybody(machine, replays)
  const found = await unacknowledged(machine, all)
  for (const { detail } of found) say(detail)
  const [first] = found
  const detail = `rows of ${patients} patients, of staff, partners and operators stand as the log says, ${found.length} do not`
  return {
    database,
    check: 'rows: as the log says',
    passed: found.length === 0,
    detail: first === undefined ? detail : `${detail}; the first: ${first.detail}`,
  }
}

async function checkErased(database: string, copy: Machine, live: Machine | undefined): Promise<Check> {
  const check = 'erased: stays unreadable'
  if (live === undefined) return { database, check, detail: 'the running party was not reached' }
  const erased = await transact(live, (tx) => erasedKeys(tx, ERASED_MAX))
  const open = await transact(copy, (tx) => stillOpen(tx, erased))
  return {
    database,
    check,
    passed: open === 0,
    detail: `${erased.length} keys were erased since or before; ${open} of them still open in the restored copy`,
  }
}
