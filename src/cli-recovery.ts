import { mkdirSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join, resolve } from 'node:path'
import type { Command } from 'commander'
import { clock, random, randomToken } from './app.ts'
import { openParty } from './app-copy.ts'
import {
  addressesOf,
  backupTarget,
  insistOnServer,
  outboundOf,
  partiesOf,
  reachServer,
  type Site,
} from './app-recovery.ts'
import type { Does } from './cli-party.ts'
import { transact } from './db/tx.ts'
import { baseIds, type Manifest, readManifest } from './recovery/backup-folder.ts'
import { retain, takeBaseBackup } from './recovery/base-backup.ts'
import { confirmRestored, noteRun } from './recovery/commands.ts'
import { drill } from './recovery/drill.ts'
import { sayEvidence } from './recovery/evidence.ts'
import { backUpKeys, restoreKeys } from './recovery/keys-backup.ts'
import { formatLsn } from './recovery/lsn.ts'
import { RecoveryFault } from './recovery/recovery-fault.ts'
import { makeBackupKeys, readBackupKeys, readRecoveryKey, signerOf } from './recovery/recovery-keys.ts'
import { restoreForUse } from './recovery/restore-for-use.ts'
import { archiveWal, walRun } from './recovery/wal-archive.ts'

type Options = Readonly<Record<string, string | boolean | undefined>>

export type RecoveryNeeds = {
  /** The site of a settings file, or of the sample network when none is named. */
  readonly site: (config: string | undefined, folder: string | undefined) => Promise<Site>
  readonly program: string
}

const out = (line: string): void => void process.stdout.write(`${line}\n`)
const textOf = (value: string | boolean | undefined): string | undefined =>
  typeof value === 'string' ? value : undefined
const DAY_MS = 86_400_000

/** `amanat backup`, `amanat restore`, `amanat drill` (docs/operate/recovery.md). */
export function addRecoveryCommands(program: Command, does: Does, needs: RecoveryNeeds): void {
  addBackupCommands(program, does, needs)
  addRestoreCommands(program, does, needs)
  const command = withSite(program.command('drill'))
    .description('restore the newest backup beside the running system, check it, write evidence')
    .requiredOption('--recovery-key <file>', 'recovery-data.json, from the safe')
    .option('--to <time>', 'restore to this moment, such as 2026-11-22T08:30:00Z')
    .option('--work <folder>', 'where the copy lies meanwhile; it is thrown away', '/tmp')
    .option('--evidence <folder>', 'where the evidence goes; without it below the backups')
    .option('--postgres <folder>', 'programs of PostgreSQL, for a server of another version than ours')
    .option('--who <name>', 'who did this, as the evidence says')
  command.action(does(() => runDrill(command.opts(), needs)))
}

function withSite(command: Command): Command {
  return command
    .option('--config <file>', 'settings of the party; without it the sample network')
    .option('--folder <folder>', 'the backups, where it is not the folder of the settings')
}

const siteOf = (options: Options, needs: RecoveryNeeds): Promise<Site> =>
  needs.site(textOf(options['config']), textOf(options['folder']))

function addBackupCommands(program: Command, does: Does, needs: RecoveryNeeds): void {
  const backup = withSite(program.command('backup'))
    .description('back up the database server: all of it, or with --incremental what came since')
    .option('--incremental', 'only what was written since the last backup: for a run each few minutes')
    .option('--keep <days>', 'any moment of the last so many days stays restorable, such as 7d')
  backup.action(does(() => runBackup(backup.opts(), needs)))
  const init = withSite(backup.command('init'))
    .description('make the keys of backups: the recovery keys go into the safe')
    .requiredOption(
      '--out <folder>',
      'where recovery-data.json and recovery-keys.json are written; take them away from there',
    )
  init.action(
    does(async () => {
      const options = { ...backup.opts(), ...init.opts() } as Options
      const site = await siteOf(options, needs)
      const paths = makeBackupKeys(site.keysFolder, resolve(textOf(options['out']) ?? '.'), random)
      out(
        `Made ${paths.join(' and ')}: move both into the safe, apart from each other and from the backups. Without them no backup opens.`,
      )
      return 0
    }),
  )
  const keys = withSite(backup.command('keys'))
    .description('back up the keys folder, apart from the data; older ones are destroyed after 7 days')
    .requiredOption('--to <folder>', 'another place than the backups of the data')
    .option('--keep <days>', 'destroyed after so many days', '7d')
  keys.action(does(() => runKeysBackup({ ...backup.opts(), ...keys.opts() }, needs)))
  const list = withSite(backup.command('list')).description('the backups that are there, and what moments they cover')
  list.action(does(() => listBackups({ ...backup.opts(), ...list.opts() }, needs)))
}

async function runBackup(options: Options, needs: RecoveryNeeds): Promise<number> {
  const site = await siteOf(options, needs)
  const keepDays = daysOf(textOf(options['keep'])) ?? site.keepDays
  const server = await insistOnServer(site)
  try {
    const target = backupTarget(site, server)
    if (options['incremental'] === true) {
      if (baseIds(site.backupFolder).length === 0)
        throw new RecoveryFault(
          'no_backup',
          `There is no complete backup in ${site.backupFolder} to add to. Run amanat backup without --incremental first.`,
        )
      const { reached, bytes, hasGap } = await archiveWal(target, { kind: 'now' })
      out(`Archived ${mib(bytes)} of WAL, to ${formatLsn(reached)}.`)
      if (hasGap) out('WAL is missing before that: the server gave it up. Run amanat backup now.')
      return hasGap ? 1 : 0
    }
    const manifest = await takeBaseBackup({ ...target, databases: addressesOf(site, server), program: needs.program })
    await noteBackup(site, server, manifest)
    out(sayBackup(site, manifest))
    const deleted = retain(site.backupFolder, keepDays * DAY_MS, clock(), signerOf(target.keys))
    if (deleted.length > 0) out(`Deleted ${deleted.join(', ')}: no moment of the last ${keepDays} days needs them.`)
    return 0
  } finally {
    await server.stop()
  }
}

async function noteBackup(
  site: Site,
  server: { readonly url: (name: string) => string },
  manifest: Manifest,
): Promise<void> {
  for (const { name, config } of site.parties) {
    const party = await openParty(config, server.url(name), 'running')
    try {
      await transact(party.machine, (tx) =>
        noteRun(tx, { type: 'backup.taken', backup: manifest.id, bytes: sealedBytes(manifest) }),
      )
    } finally {
      await party.close()
    }
  }
}

const sealedBytes = ({ files }: Manifest): number => files.reduce((sum, { bytes }) => sum + bytes, 0)
const mib = (bytes: number): string => `${(bytes / 1024 ** 2).toFixed(1)} MiB`

function sayBackup({ backupFolder }: Site, manifest: Manifest): string {
  const plain = manifest.files.reduce((sum, { plainBytes }) => sum + plainBytes, 0)
  const seconds = manifest.tookMs / 1000
  return `Backup ${manifest.id} of ${manifest.databases.join(', ')} in ${join(backupFolder, 'base', manifest.id)}: ${mib(plain)}, sealed ${mib(sealedBytes(manifest))}, in ${seconds.toFixed(1)} s (${mib(plain / seconds)}/s).`
}

function daysOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const days = Number(/^(\d{1,4})d$/.exec(text)?.[1])
  if (!Number.isInteger(days) || days < 1)
    throw new RecoveryFault('time_not_covered', `${text} is no number of days; write 7d.`)
  return days
}

async function runKeysBackup(options: Options, needs: RecoveryNeeds): Promise<number> {
  const site = await siteOf(options, needs)
  const to = resolve(textOf(options['to']) ?? '.')
  const keepDays = daysOf(textOf(options['keep'])) ?? 7
  if (`${to}/`.startsWith(`${resolve(site.backupFolder)}/`))
    throw new RecoveryFault(
      'place_not_empty',
      `${to} lies in the backups of the data: whoever has both reads everything. Name another place.`,
    )
  const keys = readBackupKeys(site.keysFolder)
  for (const { name, config } of site.parties) {
    const order = {
      name: config.role === 'exchange' ? 'exchange' : name,
      keysFolder: config.keysFolder,
      to,
      keepDays,
      keys,
      random,
      now: clock(),
    }
    const { path, deleted } = await backUpKeys(order)
    out(
      `Keys of ${config.name} in ${path}.${deleted.length > 0 ? ` Destroyed ${deleted.length} that were older than ${keepDays} days.` : ''}`,
    )
  }
  return 0
}

async function listBackups(options: Options, needs: RecoveryNeeds): Promise<number> {
  const site = await siteOf(options, needs)
  const signer = signerOf(readBackupKeys(site.keysFolder))
  const ids = baseIds(site.backupFolder)
  for (const id of ids) {
    const manifest = readManifest(site.backupFolder, id, signer)
    const run = walRun(site.backupFolder, manifest.systemId, manifest.timeline, manifest.start, signer)
    const end = run.missingTo === undefined ? 'a hole or an unknown moment' : 'where its end was taken away,'
    const until = run.coveredUntil?.toISOString() ?? `${end} at ${formatLsn(run.end)}`
    out(
      `${id}  ${mib(sealedBytes(manifest)).padStart(10)}  ${manifest.databases.join(', ')}  restorable from ${manifest.censusAt} to ${until}`,
    )
  }
  if (ids.length === 0) out(`There is no complete backup in ${site.backupFolder}.`)
  return ids.length === 0 ? 1 : 0
}

function addRestoreCommands(program: Command, does: Does, needs: RecoveryNeeds): void {
  const restore = withSite(program.command('restore'))
    .description('restore into an empty folder; the party then waits for "restore confirm"')
    .option('--recovery-key <file>', 'recovery-data.json, from the safe')
    .option(
      '--into <folder>',
      'an empty folder; it becomes database.embeddedFolder, or its cluster the data of your own server',
    )
    .option('--again', 'start over in a folder in which an earlier restore was interrupted')
    .option(
      '--to <time>',
      'restore to this moment, such as 2026-11-22T08:30:00Z; without it as late as the archive goes',
    )
    .option('--postgres <folder>', 'programs of PostgreSQL, for a server of another version than ours')
    .option('--who <name>', 'who did this, as the evidence says')
  restore.action(does(() => runRestore(restore.opts(), needs)))
  const confirm = withSite(restore.command('confirm'))
    .description('let a restored party go to work, after its witnesses were asked what they saw')
    .option('--accept-lost <entries>', 'so many entries of the log are lost, and the log goes on under a new name')
    .option('--without-witnesses', 'none of them answers and none ever will: what is lost stays unknown')
    .option('--accept-differences', 'tables differ from the counts of the backup, and that was looked at')
  confirm.action(does(() => runConfirm({ ...restore.opts(), ...confirm.opts() }, needs)))
  const keys = restore
    .command('keys')
    .description('put a backup of the keys back, into an empty folder')
    .requiredOption('--from <file>', 'a file that "backup keys" made')
    .option('--recovery-key <file>', 'recovery-keys.json, from the safe')
    .option('--into <folder>', 'an empty folder: keysFolder of the settings')
  keys.action(
    does(async () => {
      const options = { ...restore.opts(), ...keys.opts() } as Options
      const names = await restoreKeys(
        insist(options, 'from'),
        insist(options, 'into'),
        readRecoveryKey(insist(options, 'recoveryKey'), 'keys'),
      )
      out(`Put back ${names.join(', ')}.`)
      return 0
    }),
  )
}

function insist(options: Options, name: string): string {
  const value = textOf(options[name])
  if (value !== undefined) return value
  const words = name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
  throw new RecoveryFault('keys_missing', `Name it with --${words}.`)
}

function timeOf(options: Options): Date | undefined {
  const text = textOf(options['to'])
  if (text === undefined) return undefined
  if (/^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/.test(text) && !Number.isNaN(Date.parse(text)))
    return new Date(text)
  throw new RecoveryFault(
    'time_not_covered',
    `${text} is no moment; write it with its time zone, such as 2026-11-22T08:30:00Z or 2026-11-22T14:00:00+05:30.`,
  )
}

const whoOf = (options: Options): string => textOf(options['who']) ?? userInfo().username
async function runRestore(options: Options, needs: RecoveryNeeds): Promise<number> {
  const site = await siteOf(options, needs)
  const into = resolve(insist(options, 'into'))
  const outbound = outboundOf(site)
  const live = await reachServer(site, false)
  try {
    const evidence = await restoreForUse({
      folder: site.backupFolder,
      recovery: readRecoveryKey(insist(options, 'recoveryKey'), 'data'),
      to: timeOf(options),
      into,
      again: options['again'] === true,
      postgresBin: textOf(options['postgres']) ?? site.postgresBin,
      say: out,
      parties: partiesOf(site, live),
      outbound,
      who: whoOf(options),
      program: needs.program,
      now: clock,
      password: randomToken(),
    })
    out(sayEvidence(evidence.evidence, evidence.sha256))
    out(`Restored into ${into}. The parties in it answer nobody until you confirm:
  1. Stop what runs on the old database, for good.
  2. Settings: "embeddedFolder": "${into}" (or start your own PostgreSQL on ${join(into, 'cluster')} and name its address).
  3. amanat restore confirm --config FILE, then start the party, then amanat backup.`)
    return evidence.evidence.passed ? 0 : 1
  } finally {
    await outbound.close()
    await live?.stop()
  }
}

async function runConfirm(options: Options, needs: RecoveryNeeds): Promise<number> {
  const site = await siteOf(options, needs)
  const server = await insistOnServer(site)
  const outbound = outboundOf(site)
  try {
    for (const { name, config } of site.parties) {
      const party = await openParty(config, server.url(name), 'copy')
      try {
        const { lost, logName, vkey, silent } = await confirmRestored({
          ...party,
          outbound,
          acceptLost: Number(textOf(options['acceptLost']) ?? 0),
          acceptUnasked: options['withoutWitnesses'] === true,
          acceptDifferences: options['acceptDifferences'] === true,
        })
        out(
          `${config.name} is confirmed.${silent.length > 0 ? ` Not asked, since they did not answer: ${silent.join(', ')}.` : ''}`,
        )
        if (lost > 0)
          out(
            `${lost} entries are lost. The log goes on as ${logName}; give its key to witnesses and partners: ${vkey}`,
          )
      } finally {
        await party.close()
      }
    }
    out('Start the party again if it runs, and take a backup now: amanat backup.')
    return 0
  } finally {
    await outbound.close()
    await server.stop()
  }
}

async function runDrill(options: Options, needs: RecoveryNeeds): Promise<number> {
  const site = await siteOf(options, needs)
  const evidenceFolder = resolve(textOf(options['evidence']) ?? join(site.backupFolder, 'drills'))
  mkdirSync(evidenceFolder, { recursive: true, mode: 0o700 })
  const outbound = outboundOf(site)
  const live = await reachServer(site, false)
  try {
    const { evidence, sha256, path } = await drill({
      folder: site.backupFolder,
      recovery: readRecoveryKey(insist(options, 'recoveryKey'), 'data'),
      to: timeOf(options),
      postgresBin: textOf(options['postgres']) ?? site.postgresBin,
      say: out,
      parties: partiesOf(site, live),
      outbound,
      workFolder: resolve(insist(options, 'work')),
      evidenceFolder,
      who: whoOf(options),
      program: needs.program,
      now: clock,
    })
    out(sayEvidence(evidence, sha256))
    out(`Evidence: ${path}`)
    return evidence.passed ? 0 : 1
  } finally {
    await outbound.close()
    await live?.stop()
  }
}
