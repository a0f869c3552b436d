import type { Command } from 'commander'
import pg from 'pg'
import { backUpBeforeUpgrade, upgradeBackup } from './app-recovery.ts'
import type { Does } from './cli-party.ts'
import { ConfigFault, type PartyConfig } from './config.ts'
import { DatabaseFault } from './db/database-fault.ts'
import { grantLeastRights } from './db/least-rights.ts'
import { migrate, migrateDown, migrationStatus } from './db/migrate.ts'
import { forgetTies } from './keys/tie-existing.ts'

export type MigrateNeeds = {
  readonly read: (file: string) => PartyConfig
  readonly open: (config: PartyConfig) => Promise<{ readonly url: string; readonly stop: () => Promise<void> }>
  readonly program: string
}

const out = (line: string): void => void process.stdout.write(`${line}\n`)

/** `amanat migrate [up|status|grant --to ROLE|down --to N]`. */
export function addMigrateCommands(program: Command, does: Does, needs: MigrateNeeds): void {
  const up = program
    .command('migrate')
    .description('bring the database of a party to the newest schema; with backups in its settings one is taken before')
    .option('--config <file>', 'its settings')
  const working = (
    options: () => { readonly config?: string },
    work: (config: PartyConfig, pool: pg.Pool, url: string) => Promise<number>,
  ) =>
    does(async () => {
      const { config: file } = options()
      if (file === undefined) throw new ConfigFault('name the settings of the party with --config FILE')
      const config = needs.read(file)
      const database = await needs.open(config)
      const pool = new pg.Pool({ connectionString: database.url, max: 1 })
      // A connection that is just closing may still hear that an embedded server stops.
      pool.on('error', () => undefined)
      try {
        return await work(config, pool, database.url)
      } finally {
        await pool.end()
        await database.stop()
      }
    })
  up.action(
    working(
      () => up.opts(),
      async (config, pool, url) => upgrade(pool, await backUpBeforeUpgrade(config, url, needs.program)),
    ),
  )
  const status = up.command('status').description('which migrations the database has seen, and which it has not')
  status.option('--config <file>', 'settings of the party')
  status.action(
    working(
      () => ({ ...up.opts(), ...status.opts() }),
      async (_config, pool) => sayStatus(await migrationStatus(pool)),
    ),
  )
  const grant = up.command('grant').description('give a role that owns nothing what a running party needs, and no more')
  grant
    .option('--config <file>', 'settings of the party, with the database as its owner reaches it')
    .requiredOption('--to <role>', 'the role, such as amanat_app')
  grant.action(
    working(
      () => ({ ...up.opts(), ...grant.opts() }),
      async (_config, pool) => grantTo(pool, grant.opts<{ to: string }>().to),
    ),
  )
  const down = up.command('down').description('undo migrations, newest first, so that an older program can start again')
  down
    .option('--config <file>', 'settings of the party')
    .requiredOption('--to <number>', 'the newest migration that stays, such as 77')
  down.action(
    working(
      () => ({ ...up.opts(), ...down.opts() }),
      async (config, pool) => {
        const undone = await undo(pool, down.opts<{ to: string }>().to)
        forgetTies(config.keysFolder, undone)
        out(
          undone.length === 0
            ? 'There is nothing to undo.'
            : `Undone: ${undone.join(', ')}. Start the older program now, not this one.`,
        )
        return 0
      },
    ),
  )
}

async function upgrade(pool: pg.Pool, backup: string | undefined): Promise<number> {
  if (backup !== undefined) out(`Took the backup ${backup} before the upgrade.`)
  const done = await migrate(pool)
  out(done.length === 0 ? 'The database is up to date.' : `Applied: ${done.join(', ')}`)
  return 0
}

async function grantTo(pool: pg.Pool, role: string): Promise<number> {
  const { pending } = await migrationStatus(pool)
  if (pending.length > 0)
    throw new DatabaseFault('role_unusable', 'The schema is not the newest: run amanat migrate first.')
  const appendOnly = await grantLeastRights(pool, role)
  out(`${role} may run the party: read and write what it needs, and in ${appendOnly.join(', ')} only add.`)
  return 0
}

function sayStatus({ applied, pending, unknown }: Awaited<ReturnType<typeof migrationStatus>>): number {
  out(`${applied.length} applied, the newest is ${applied.at(-1) ?? 'none'}.`)
  for (const name of pending) out(`waits    ${name}`)
  for (const name of unknown) out(`unknown  ${name}: a newer program made it`)
  return unknown.length === 0 ? 0 : 1
}

async function undo(pool: pg.Pool, to: string): Promise<readonly string[]> {
  const number = Number(to)
  if (!Number.isInteger(number) || number < 1) throw new ConfigFault(`--to ${to} is no number of a migration`)
  try {
    return await migrateDown(pool, number)
  } catch (error) {
    if (!(error instanceof DatabaseFault && error.code === 'migration_irreversible')) throw error
    const backup = await upgradeBackup(pool)
    const way =
      backup === undefined
        ? 'Restore a backup that was taken before it.'
        : `The backup ${backup.id} was taken before the upgrade: amanat restore --to ${backup.censusAt} with the older program.`
    throw new DatabaseFault('migration_irreversible', `${error.message} ${way}`)
  }
}
