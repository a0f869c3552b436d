import { clock, openKeys, random } from './app.ts'
import { openKeyring } from './app-keys.ts'
import { REPLAYS_OF } from './app-replay.ts'
import { nameOfOwnLog } from './audit/successor.ts'
import type { PartyConfig } from './config.ts'
import { makeSigner } from './crypto/signed-note.ts'
import { makeChanges } from './db/changes.ts'
import { connect } from './db/connect.ts'
import { coverExisting } from './db/cover-existing.ts'
import { migrate } from './db/migrate.ts'
import type { Machine } from './db/tx.ts'
import { makeVeil } from './db/veil.ts'
import type { OpenParty } from './recovery/party-checks.ts'

/**
 * Opens a party's database with its keys, for commands beside it: no server, no jobs, no chores. A restored copy is brought to the newest
 * schema first; the database of a running party is left as it is.
 */
export async function openParty(
  config: PartyConfig,
  databaseUrl: string,
  what: 'copy' | 'running',
): Promise<OpenParty> {
  const keys = await openKeys(config.keysFolder)
  const connection = await connect({
    connectionString: databaseUrl,
    veil: makeVeil(keys.indexKey, random),
    applicationName: 'amanat recovery',
    poolMax: 4,
    onError: () => {}, // a lost connection rejects the running query too
  })
  try {
    if (what === 'copy') {
      await migrate(connection.pool)
      await coverExisting(connection.pool, clock())
    }
    const keyring = await openKeyring(config, keys, { random, now: clock })
    const machine: Machine = {
      db: connection.db,
      now: clock,
      random,
      keyWrap: keyring,
      reactions: new Map(),
      wake: () => undefined,
      changes: makeChanges(),
    }
    const signer = makeSigner(await nameOfOwnLog(connection.db, config.log.origin), keys.logSeed)
    return {
      machine,
      log: { signer, witnesses: config.log.witnesses },
      logSeed: keys.logSeed,
      replays: REPLAYS_OF[config.role],
      close: async () => {
        await keyring.close()
        await connection.close()
      },
    }
  } catch (error) {
    await connection.close()
    throw error
  }
}
