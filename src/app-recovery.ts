import { existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import type { Logger } from 'pino'
import { z } from 'zod'
import { clock, type RunningParty, random } from './app.ts'
import { openParty } from './app-copy.ts'
import { type PartyConfig, parseConfig } from './config.ts'
import { attachEmbedded, startEmbedded } from './db/embedded.ts'
import { migrationStatus } from './db/migrate.ts'
import { networkSettings, type PartyStarter } from './demo/network.ts'
import { makeOutbound, type Outbound } from './http/outbound.ts'
import { takeBaseBackup } from './recovery/base-backup.ts'
import type { DatabaseAddress } from './recovery/census.ts'
import { noteOfRestore } from './recovery/commands.ts'
import { drill, type PartyInBackup } from './recovery/drill.ts'
import { type Keeper, keepBackups } from './recovery/keeper.ts'
import { RecoveryFault } from './recovery/recovery-fault.ts'
import { readBackupKeys, readRecoveryKey } from './recovery/recovery-keys.ts'
import type { BackupTarget } from './recovery/wal-archive.ts'

/** What is backed up together: one server, with the parties whose databases are on it. */
export type Site = {
  /** Where backups go, and where `backup-keys.json` is. */
  readonly backupFolder: string
  readonly keysFolder: string
  readonly keepDays: number
  readonly postgresBin: string | undefined
  readonly parties: readonly SiteParty[]
}

/** A party and the name of its database. */
export type SiteParty = { readonly name: string; readonly config: PartyConfig }

/** A server that is reached; `stop` ends it where it was started for the command. */
export type ReachedServer = { readonly url: (database: string) => string; readonly stop: () => Promise<void> }

/**
 * The site of one party with its own settings.
 * @throws RecoveryFault `no_backup` when they say nothing of backups
 */
export function siteOfParty(config: PartyConfig, folder: string | undefined): Site {
  const backupFolder = folder ?? config.backup?.folder
  if (backupFolder === undefined)
    throw new RecoveryFault(
      'no_backup',
      'The settings say nothing of backups. Write "backup": {"folder": "…"}, or name a folder with --folder.',
    )
  return {
    backupFolder,
    keysFolder: config.keysFolder,
    keepDays: config.backup?.keepDays ?? 7,
    postgresBin: config.backup?.postgresBin,
    parties: [aloneOf(config)],
  }
}

/** The sample network: all its parties are on one server. */
export async function siteOfNetwork(
  place: {
    readonly dataFolder: string
    readonly firstPort: number
    readonly databaseUrl: string | undefined
    readonly starter: PartyStarter
  },
  folder: string | undefined,
): Promise<Site> {
  const { dataFolder, databaseUrl } = place
  if (!existsSync(join(dataFolder, 'exchange', 'keys.json')))
    throw new RecoveryFault(
      'no_backup',
      `There is no sample network in ${dataFolder}. Start it once with npm start, or name settings with --config.`,
    )
  const parties = await networkSettings(place)
  return {
    backupFolder: folder ?? join(dataFolder, 'backups'),
    keysFolder: join(dataFolder, 'exchange'),
    keepDays: 7,
    postgresBin: undefined,
    parties: parties.map(({ key, settings }) => {
      const config = parseConfig(settings, `the sample network's ${key}`)
      if (databaseUrl === undefined) return { name: key, config }
      return { name: `amanat_${key}`, config: { ...config, database: { url: databaseUrl } } }
    }),
  }
}

/** A party with its own settings, alone. */
export const aloneOf = (config: PartyConfig): SiteParty => ({ name: databaseName(config), config })

/** Name of the database of a party. */
function databaseName(config: PartyConfig): string {
  return 'url' in config.database
    ? decodeURIComponent(new URL(config.database.url).pathname.slice(1))
    : config.database.name
}

/** Reaches the site's server; an embedded one that does not run is started when `start` says so. Undefined when it is not there. */
export async function reachServer(site: Pick<Site, 'parties'>, start: boolean): Promise<ReachedServer | undefined> {
  const database = site.parties[0]?.config.database
  if (database === undefined) return undefined
  if ('url' in database) {
    const address = database.url
    const url = (name: string): string => {
      const other = new URL(address)
      other.pathname = `/${name}`
      return other.href
    }
    return (await answers(address)) ? { url, stop: async () => undefined } : undefined
  }
  const running = attachEmbedded(database.embeddedFolder)
  if (running !== undefined) return { url: running.connectionString, stop: async () => undefined }
  if (!start || !existsSync(join(database.embeddedFolder, 'cluster'))) return undefined
  const started = await startEmbedded({ folder: database.embeddedFolder, log: () => {} })
  return { url: started.connectionString, stop: started.stop }
}

async function answers(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 })
  client.on('error', () => {}) // told by the answer
  try {
    await client.connect()
    return true
  } catch {
    return false // the caller says that it is not there
  } finally {
    await client.end().catch(() => {})
  }
}

/** The server for a command that cannot do without it. */
export async function insistOnServer(site: Site): Promise<ReachedServer> {
  const server = await reachServer(site, true)
  if (server !== undefined) return server
  throw new RecoveryFault(
    'server_refused',
    'The database server is not reached. Start it, or mend its address in the settings.',
  )
}

export function addressesOf(site: Site, server: ReachedServer): readonly DatabaseAddress[] {
  return site.parties.map(({ name }) => ({ name, url: server.url(name) }))
}

export function backupTarget(site: Site, server: ReachedServer): BackupTarget {
  return {
    folder: site.backupFolder,
    keys: readBackupKeys(site.keysFolder),
    serverUrl: server.url(site.parties[0]?.name ?? 'postgres'),
    random,
    now: clock,
  }
}

/** The parties as a drill or a restore opens them. */
export function partiesOf(site: Site, live: ReachedServer | undefined): readonly PartyInBackup[] {
  return site.parties.map(({ name, config }) => ({
    database: name,
    open: (url) => openParty(config, url, 'copy'),
    openLive: async () => (live === undefined ? undefined : openParty(config, live.url(name), 'running')),
  }))
}

/** Where the backup is remembered that was taken before the schema was last changed. */
const UPGRADE_BACKUP = 'migrate.backup'
const upgradeSchema = z.object({ id: z.string(), censusAt: z.string() })

/**
 * Takes a backup when migrations wait for a database that has seen some, and the settings say where backups go: what cannot be undone is
 * then restored. Answers its id.
 */
export async function backUpBeforeUpgrade(
  config: PartyConfig,
  databaseUrl: string,
  program: string,
): Promise<string | undefined> {
  if (config.backup === undefined) return undefined
  const pool = new pg.Pool({ connectionString: databaseUrl, max: 1 })
  try {
    const { applied, pending } = await migrationStatus(pool)
    if (applied.length === 0 || pending.length === 0) return undefined
    const site = siteOfParty(config, undefined)
    const server = { url: () => databaseUrl, stop: async () => undefined }
    const order = { ...backupTarget(site, server), databases: addressesOf(site, server), program }
    const { id, censusAt } = await takeBaseBackup(order)
    await pool.query(
      `insert into setting (name, value, changed_at) values ($1, $2, $3)
       on conflict (name) do update set value = excluded.value, changed_at = excluded.changed_at`,
      [UPGRADE_BACKUP, JSON.stringify({ id, censusAt }), censusAt],
    )
    return id
  } finally {
    await pool.end()
  }
}

/** The backup that {@link backUpBeforeUpgrade} took last. */
export async function upgradeBackup(
  pool: pg.Pool,
): Promise<{ readonly id: string; readonly censusAt: string } | undefined> {
  const { rows } = await pool.query<{ value: unknown }>('select value from setting where name = $1', [UPGRADE_BACKUP])
  return rows[0] === undefined ? undefined : upgradeSchema.parse(rows[0].value)
}

/**
 * A party that is to make backups has their keys, before anything of it runs: it would serve without them, and nobody would know.
 * @throws RecoveryFault `keys_missing`
 */
export function insistOnBackupKeys(config: PartyConfig): void {
  if (config.backup !== undefined) readBackupKeys(config.keysFolder)
}

/** Keeps the backups of a running party, when its settings say where they go; nothing to stop otherwise. */
export async function startKeeper(
  running: RunningParty,
  databaseUrl: string,
  program: string,
  log: Logger,
): Promise<Keeper> {
  const { config, machine } = running
  const { backup } = config
  if (backup === undefined || (await noteOfRestore(machine.db)) !== undefined) return { stop: async () => undefined }
  const site = siteOfParty(config, undefined)
  const server: ReachedServer = { url: () => databaseUrl, stop: async () => undefined }
  const { everyHours, keepDays, lossSecondsMax } = backup
  return keepBackups({
    target: backupTarget(site, server),
    databases: addressesOf(site, server),
    machine,
    program,
    everyHours,
    keepDays,
    lossSecondsMax,
    drill:
      backup.drill === undefined
        ? undefined
        : {
            everyDays: backup.drill.everyDays,
            run: () => ownDrill(site, server, backup.drill?.recoveryKey ?? '', program, log),
          },
    log,
  })
}

async function ownDrill(
  site: Site,
  server: ReachedServer,
  recoveryKey: string,
  program: string,
  log: Logger,
): Promise<void> {
  const outbound = outboundOf(site)
  try {
    const { evidence, path } = await drill({
      folder: site.backupFolder,
      recovery: readRecoveryKey(recoveryKey, 'data'),
      to: undefined,
      postgresBin: site.postgresBin,
      say: (line) => log.info(line),
      parties: partiesOf(site, server),
      outbound,
      workFolder: tmpdir(),
      evidenceFolder: join(site.backupFolder, 'drills'),
      who: 'the party itself, as scheduled',
      program,
      now: clock,
    })
    if (evidence.passed) log.info({ path }, 'restore drill passed')
    else log.error({ path }, 'restore drill found faults')
  } finally {
    await outbound.close()
  }
}

/** The way out of a command that asks witnesses. */
export function outboundOf(site: Site): Outbound {
  return makeOutbound({
    allowPrivateNetworks: site.parties.some(({ config }) => config.allowPrivateNetworks),
    nowMs: () => performance.now(),
  })
}
