import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import { connect } from '../src/db/connect.ts'
import { startEmbedded } from '../src/db/embedded.ts'
import { migrate } from '../src/db/migrate.ts'
import type { Machine } from '../src/db/tx.ts'
import type { Manifest } from '../src/recovery/backup-folder.ts'
import { takeBaseBackup } from '../src/recovery/base-backup.ts'
import { makeBackupKeys, readBackupKeys, readRecoveryKey } from '../src/recovery/recovery-keys.ts'
import { type Restored, type RestoreOrder, restoreCluster } from '../src/recovery/restore.ts'
import { archiveWal, type BackupTarget } from '../src/recovery/wal-archive.ts'
import { failLoudly, TEST_VEIL, temporaryRoot } from './database.ts'
import { makeTestMachine } from './machine.ts'

const DATABASE = 'hospital'

/** A server of its own with the database of one party, backups of it, and copies restored beside it. */
export type RecoveryBench = {
  readonly folder: string
  readonly backups: string
  readonly url: string
  readonly target: BackupTarget
  readonly machine: Machine
  readonly query: (text: string, values?: unknown[]) => Promise<pg.QueryResult>
  readonly backUp: () => Promise<Manifest>
  /** Archives what the server has now; answers its clock afterwards. */
  readonly archive: () => Promise<Date>
  readonly restore: (name: string, changes?: Partial<RestoreOrder>) => Promise<Restored>
  /** A machine on a restored copy with the keys of today. */
  readonly openCopy: (restored: Restored) => Promise<{ readonly machine: Machine; readonly close: () => Promise<void> }>
  readonly close: () => Promise<void>
}

export async function openRecoveryBench(): Promise<RecoveryBench> {
  const folder = mkdtempSync(join(temporaryRoot(), 'amanat-recovery-'))
  const server = await startEmbedded({ folder: join(folder, 'postgres'), log: () => {}, throwaway: true })
  await server.createDatabase(DATABASE)
  const url = server.connectionString(DATABASE)
  const connection = await connect({ connectionString: url, veil: TEST_VEIL, onError: failLoudly })
  await migrate(connection.pool)
  const machine = makeTestMachine({ ...connection, connectionString: url })
  const random = (bytes: number): Uint8Array => new Uint8Array(randomBytes(bytes))
  makeBackupKeys(join(folder, 'keys'), join(folder, 'safe'), random)
  const recovery = readRecoveryKey(join(folder, 'safe', 'recovery-data.json'), 'data')
  const backups = join(folder, 'backups')
  const target = {
    folder: backups,
    keys: readBackupKeys(join(folder, 'keys')),
    serverUrl: url,
    random,
    now: () => new Date(),
  }
  const query = (text: string, values: unknown[] = []): Promise<pg.QueryResult> => connection.pool.query(text, values)
  return {
    folder,
    backups,
    url,
    target,
    machine,
    query,
    backUp: () => takeBaseBackup({ ...target, databases: [{ name: DATABASE, url }], program: 'test' }),
    archive: async () => {
      await query(`select pg_logical_emit_message(true, 'test', 'so that a commit comes after')`)
      // A server that does not wait for the disk tells how far its WAL goes a moment later.
      await query('select pg_switch_wal()')
      await archiveWal(target, { kind: 'now' })
      return new Date()
    },
    restore: (name, changes = {}) =>
      restoreCluster({
        folder: backups,
        recovery,
        to: undefined,
        into: join(folder, name),
        again: false,
        now: () => new Date(),
        postgresBin: undefined,
        throwaway: true,
        say: () => {},
        ...changes,
      }),
    openCopy: async (restored) => {
      const copy = await connect({
        connectionString: restored.server.url(DATABASE),
        veil: TEST_VEIL,
        onError: () => {},
      })
      return { machine: { ...machine, db: copy.db }, close: copy.close }
    },
    close: async () => {
      await connection.close()
      await server.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
