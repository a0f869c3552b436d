import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander'
import pino from 'pino'
import { clock, openKeys, random, randomToken, StartFault, startParty } from './app.ts'
import { backUpBeforeUpgrade, insistOnBackupKeys, siteOfNetwork, siteOfParty, startKeeper } from './app-recovery.ts'
import { WitnessFault } from './audit/witness-role/state-file.ts'
import { witnessCommand } from './audit/witness-role/witness-command.ts'
import { addAccountCommands } from './cli-accounts.ts'
import { addKeysCommands } from './cli-keys.ts'
import { addLogCommands } from './cli-log.ts'
import { addMigrateCommands } from './cli-migrate.ts'
import { addOperatorCommands, type PartyPlaces } from './cli-operators.ts'
import { addPartnerCommands } from './cli-partners.ts'
import { type Does, readExchange, readFacility, readParty, withCode } from './cli-party.ts'
import { addRecoveryCommands, type RecoveryNeeds } from './cli-recovery.ts'
import { addStaffCommands } from './cli-staff.ts'
import { ConfigFault, type PartyConfig, parseConfig, readConfigFile, readDemoSettings } from './config.ts'
import { DatabaseFault } from './db/database-fault.ts'
import { startEmbedded } from './db/embedded.ts'
import { EmbeddedFault } from './db/embedded-fault.ts'
import { DataPlaceFault, openDataFolder } from './demo/data-folder.ts'
import { demoCommand } from './demo/demo-command.ts'
import { StoryFault } from './demo/narrator.ts'
import { type PartyStarter, profilesFolder } from './demo/network.ts'
import { storyCommand } from './demo/story.ts'
import { deidentifyCommand } from './fhir/deidentify/export-file.ts'
import { importProfilesCommand } from './fhir/package-file.ts'
import { ensureWeb } from './http/web-build.ts'
import { RecoveryFault } from './recovery/recovery-fault.ts'
import { CallFault } from './sandbox/client.ts'
import { addBridge, listJobs, listPatients, patientToken, redeliver, showPath } from './sandbox/commands.ts'
import { followMessages } from './sandbox/follow-messages.ts'
import { NetworkFault } from './sandbox/network-file.ts'
import { KeyFault } from './vault/key-file.ts'

const VERSION = (
  JSON.parse(readFileSync(join(import.meta.dirname, '..', 'package.json'), 'utf8')) as { version: string }
).version

/** Faults whose message is written for a person: shown alone, without a stack. */
const SENTENCES = [
  DataPlaceFault,
  ConfigFault,
  StartFault,
  EmbeddedFault,
  DatabaseFault,
  KeyFault,
  NetworkFault,
  CallFault,
  StoryFault,
  WitnessFault,
  RecoveryFault,
]

/** Exit code for words that the command line does not know, as most programs have it; 1 is for what went wrong while working. */
const WRONG_CALL = 2

/** Runs one command line; answers the exit code. */
export async function run(argv: readonly string[]): Promise<number> {
  let code = 0
  const does: Does = (action) => async () => void (code = await action())
  try {
    await makeProgram(does).parseAsync([...argv], { from: 'user' })
    return code
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : WRONG_CALL
    if (SENTENCES.some((kind) => error instanceof kind)) {
      process.stderr.write(`amanat: ${(error as Error).message}\n`)
      return 1
    }
    throw error
  }
}

/** Every command with its words and options. `does` wraps what a command does; a test leaves that out and parses only. */
export function makeProgram(does: Does): Command {
  const program = new Command('amanat')
    .description('Share patient records only under consent or agreement, with a proof for every disclosure.')
    .version(VERSION)
    .exitOverride()
    .showHelpAfterError('(--help after any command shows its words)')
    .addHelpText(
      'after',
      `
Environment: AMANAT_DATA    folder of the sample network (./data)
             AMANAT_PORT    its first port (4000)
             DATABASE_URL   a PostgreSQL server of yours, in place of the one that npm brings
Exit code:   0 all is well, 1 something is wrong or was refused, 2 a wrong call`,
    )
  addNetworkCommands(program, does)
  addPartyCommands(program, does)
  const site: RecoveryNeeds['site'] = async (file, folder) =>
    file === undefined
      ? siteOfNetwork({ ...settings(), starter }, folder)
      : siteOfParty(readConfigFile(file, process.env), folder)
  addRecoveryCommands(program, does, { site, program: VERSION })
  addWitnessCommand(program, does)
  addStaffCommands(program, does, (file) => readFacility(file, process.env))
  addAccountCommands(program, does, (file) => readExchange(file, process.env))
  addKeysCommands(program, does, (file) => readParty(file, process.env))
  const places: PartyPlaces = {
    read: (file) => readConfigFile(file, process.env),
    sample: () => siteOfNetwork({ ...settings(), starter }, undefined),
  }
  addOperatorCommands(program, does, places)
  addLogCommands(program, does, places)
  addPartnerCommands(program, does, (file) => readParty(file, process.env))
  addSandboxCommands(program, does)
  addToolCommands(program, does)
  return program
}

const starter: PartyStarter = {
  logKeys: openKeys,
  start: (settings, where, databaseUrl, log) => startParty(parseConfig(settings, where), databaseUrl, log),
  randomToken,
  buildWeb: ensureWeb,
}

/** The terminal stays tidy: what the parties log goes into a file of the data folder. */
function demoLog() {
  const { dataFolder, logLevel } = settings()
  openDataFolder(dataFolder)
  return pino({ level: logLevel }, pino.destination({ dest: join(dataFolder, 'network.log'), mode: 0o600, sync: true }))
}

const settings = () => readDemoSettings(process.env)
/** The network that `AMANAT_DATA` names; its port is checked only when `AMANAT_PORT` is set. */
const place = () => ({
  dataFolder: settings().dataFolder,
  firstPort: process.env['AMANAT_PORT'] === undefined ? undefined : settings().firstPort,
})

function addNetworkCommands(program: Command, does: Does): void {
  program
    .command('demo')
    .description(
      'start the sample network: an exchange, two hospitals, a laboratory, a pharmacy, an insurer (npm start)',
    )
    .action(
      does(() =>
        demoCommand({
          ...settings(),
          starter,
          until: untilSignal,
          now: clock,
          log: demoLog(),
        }),
      ),
    )
  const story = program
    .command('story')
    .description('perform the main job against the running network, step by step (npm run story)')
    .option('--records <folder>', 'use FHIR documents made by others, from this folder, in place of our own')
  story.action(
    does(() => storyCommand({ ...place(), recordsFolder: story.opts<{ records?: string }>().records, now: clock })),
  )
}

function addPartyCommands(program: Command, does: Does): void {
  const serve = program
    .command('serve')
    .description('run one party of your own')
    .requiredOption('--config <file>', 'its settings (docs/operate/settings.md)')
    .option('--role <role>', 'exchange or facility; must agree with the settings')
  serve.action(
    does(async () => {
      const { config: file, role } = serve.opts<{ config: string; role?: string }>()
      const config = readConfigFile(file, process.env)
      if (role !== undefined && role !== config.role)
        throw new ConfigFault(`--role ${role} does not agree with ${file}, whose role is ${config.role}`)
      return serveParty(config)
    }),
  )
  addMigrateCommands(program, does, {
    read: (file) => readConfigFile(file, process.env),
    open: openDatabase,
    program: VERSION,
  })
}

function addWitnessCommand(program: Command, does: Does): void {
  const witness = program
    .command('witness')
    .description('watch the logs of others and cosign what continues them (C2SP tlog-witness); needs no database')
    .requiredOption('--config <file>', 'its settings (docs/log.md)')
    .option('--add-log <vkey...>', 'only add logs, by their verifier keys, to those that it cosigns')
  witness.action(
    does(() => {
      const { config, addLog } = witness.opts<{ config: string; addLog?: readonly string[] }>()
      const print = (line: string): void => void process.stdout.write(`${line}\n`)
      const needs = { now: clock, random, print, until: untilSignal }
      return witnessCommand(config, addLog === undefined ? {} : { addLog }, needs)
    }),
  )
}

async function serveParty(config: PartyConfig): Promise<number> {
  const log = pino({ level: config.logLevel })
  insistOnBackupKeys(config)
  await ensureWeb((line) => log.info(line))
  const database = await openDatabase(config)
  const backup = await backUpBeforeUpgrade(config, database.url, VERSION)
  if (backup !== undefined) log.info({ backup }, 'took a backup before the upgrade')
  const party = await startParty(config, database.url, log).catch(async (error: unknown) => {
    await database.stop()
    throw error
  })
  log.info({ url: party.url, role: config.role }, `${config.name} is up`)
  const keeper = await startKeeper(party, database.url, VERSION, log).catch(async (error: unknown) => {
    await party.stop()
    await database.stop()
    throw error
  })
  await untilSignal()
  log.info('stopping')
  await keeper.stop()
  await party.stop()
  await database.stop()
  return 0
}

async function openDatabase(
  config: PartyConfig,
): Promise<{ readonly url: string; readonly stop: () => Promise<void> }> {
  if ('url' in config.database) return { url: config.database.url, stop: async () => undefined }
  const { embeddedFolder, name } = config.database
  const embedded = await startEmbedded({ folder: embeddedFolder, log: (line) => process.stderr.write(`${line}\n`) })
  if (!(await embedded.databaseExists(name))) await embedded.createDatabase(name)
  return { url: embedded.connectionString(name), stop: embedded.stop }
}

/** A signal may arrive twice at once: from the terminal and from the launcher. Only a later one means "now, at any price". */
const SECOND_SIGNAL_AFTER_MS = 1_000

/** Waits for Ctrl-C, a service manager's stop, or a closed terminal. Asked again, it ends the program without waiting. */
function untilSignal(): Promise<void> {
  let firstAtMs: number | undefined
  return new Promise((resolve) => {
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(name, () => {
        if (firstAtMs !== undefined && performance.now() - firstAtMs > SECOND_SIGNAL_AFTER_MS) process.exit(130)
        firstAtMs ??= performance.now()
        resolve()
      })
    }
  })
}

function addSandboxCommands(program: Command, does: Does): void {
  const sandbox = program.command('sandbox').description('for integrators: join and inspect the running sample network')
  const bridge = sandbox.command('bridge').description('bridges: your software, with one callback URL')
  const add = withCode(bridge.command('add'))
    .description('register a bridge; answers its client id and secret (again: a new secret)')
    .requiredOption('--id <id>', 'facility id of the service, as in X-HIP-ID and X-HIU-ID')
    .requiredOption('--name <name>', 'its name, as patients read it')
    .requiredOption('--url <url>', 'base of its callbacks; /api/v3/… is added')
    .option('--roles <roles>', 'hip, hiu, health-locker, phr; several with commas', 'hip,hiu')
    .option('--json', 'answer as JSON')
  add.action(
    does(() =>
      addBridge({
        ...place(),
        ...add.opts<{ id: string; name: string; url: string; roles: string; code?: string; json?: boolean }>(),
      }),
    ),
  )
  const patients = sandbox
    .command('patients')
    .description('who lives in the sample network, with their linked care contexts')
    .option('--json', 'answer as JSON')
  patients.action(does(() => listPatients({ ...place(), json: patients.opts<{ json?: boolean }>().json === true })))
  const token = sandbox
    .command('token')
    .description('a patient session for the X-AUTH-TOKEN header')
    .requiredOption('--patient <address>', 'ABHA address, such as asha.rao@sbx')
    .option('--json', 'answer as JSON')
  token.action(does(() => patientToken({ ...place(), ...token.opts<{ patient: string; json?: boolean }>() })))
  const messages = sandbox
    .command('messages')
    .description('every message between parties')
    .option('--follow', 'go on showing new ones until Ctrl-C')
    .option('--json', 'one JSON object a line')
  messages.action(
    does(() =>
      followMessages({ ...place(), ...messages.opts<{ follow?: boolean; json?: boolean }>(), until: untilSignal }),
    ),
  )
  const show = sandbox
    .command('show')
    .description('what a party answers at a path (docs/api), to its operator or to a patient')
    .argument('<party>', 'exchange, tarangini, vanashree, pratibimb, aushadhika or chhatraksha')
    .argument('<path>', 'such as /v1/artefacts at a facility, /v1/me/sharing with --patient at the exchange')
    .option('--patient <address>', 'as this patient, at the exchange')
  show.action(
    does(() => {
      const [party = '', path = ''] = show.args
      return showPath({ ...place(), party, path, ...show.opts<{ patient?: string }>() })
    }),
  )
  const jobs = sandbox.command('jobs').description('what waits to leave, and the dead letters, of every party')
  jobs.action(does(() => listJobs(place())))
  const again = sandbox
    .command('redeliver')
    .description('put a dead letter back into the queue')
    .requiredOption('--party <key>', 'whose job, such as exchange')
    .requiredOption('--job <id>', 'id of the job, as "sandbox jobs" shows it')
  again.action(does(() => redeliver({ ...place(), ...again.opts<{ party: string; job: string }>() })))
}

function addToolCommands(program: Command, does: Does): void {
  const fhir = program
    .command('fhir')
    .description('documents: import newer profiles that they are checked by; deidentify copies for research')
  addDeidentify(fhir, does)
  const load = fhir.command('import')
  load
    .description('load a newer official package of the ABDM profiles')
    .argument('<package.tgz>', 'as the publisher made it: package/package.json and the definitions beside it')
    .option(
      '--out <folder>',
      'where the compiled profiles go; without it the sample network takes them at its next start',
    )
    .action(
      does(() =>
        importProfilesCommand(
          load.args[0] ?? '',
          load.opts<{ out?: string }>().out ?? profilesFolder(settings().dataFolder),
        ),
      ),
    )
}

function addDeidentify(fhir: Command, does: Does): void {
  const command = fhir
    .command('deidentify')
    .description('write pseudonymous copies of the FHIR documents in a folder')
    .argument('<folder>', 'documents, *.json')
    .requiredOption('--out <folder>', 'an empty folder for the copies, the report, and what a reviewer may let stay')
    .requiredOption('--project <id>', 'pseudonyms and shifts of dates are those of this project')
    .requiredOption('--key <file>', 'secret of the project; made when it is not there')
    .addOption(
      new Option('--mode <mode>', 'safe-harbour: years and states; limited: shifted dates, PIN codes')
        .choices(['safe-harbour', 'limited'])
        .default('safe-harbour'),
    )
    .option('--reviewed <file>', 'SHA-256 of texts that a reviewer let stay, one a line (from to-review.json)')
    .option('--k <persons>', 'leave out who shares gender, birth year and place with fewer', wholeNumber, 5)
    .option('--l <conditions>', 'leave out classes with fewer different conditions', wholeNumber, 2)
  command.action(
    does(() => {
      const {
        key: keyFile,
        reviewed,
        ...rest
      } = command.opts<{
        out: string
        project: string
        key: string
        mode: 'safe-harbour' | 'limited'
        reviewed?: string
        k: number
        l: number
      }>()
      const reviewedFile = reviewed === undefined ? {} : { reviewedFile: reviewed }
      return deidentifyCommand({ folder: command.args[0] ?? '', keyFile, ...reviewedFile, ...rest, now: clock() })
    }),
  )
}

function wholeNumber(text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new InvalidArgumentError('a whole number from 1')
  return Number(text)
}
