import { userInfo } from 'node:os'
import type { Command } from 'commander'
import { sql } from 'kysely'
import { toString as drawText } from 'qrcode'
import { clock, openKeys, random } from './app.ts'
import { openParty } from './app-copy.ts'
import { openKeyring } from './app-keys.ts'
import { aloneOf, reachServer, type SiteParty } from './app-recovery.ts'
import type { Does } from './cli-party.ts'
import { ConfigFault, type PartyConfig } from './config.ts'
import { type Machine, transact } from './db/tx.ts'
import type { Actor } from './kernel/caller.ts'
import { isRefusal, type Refusal } from './kernel/refusal.ts'
import { endOperator, enrolOperator, listOperators } from './operators/commands.ts'
import type { OpenParty } from './recovery/party-checks.ts'
import { tieKeysToDatabase } from './vault/key-tie.ts'

type Options = { readonly config?: string; readonly party?: string; readonly json?: boolean }
/** The party of a settings file, or one of the sample network. */
export type PartyAt = (options: Pick<Options, 'config' | 'party'>) => Promise<SiteParty>

/** Where a command finds the party whose database it opens. */
export type PartyPlaces = {
  readonly read: (file: string) => PartyConfig
  /** The parties of the sample network. */
  readonly sample: () => Promise<{ readonly parties: readonly SiteParty[] }>
}

const out = (text: string): void => void process.stdout.write(`${text}\n`)

/** `amanat operator …`: who may do grave acts at a party. They open its database, so they run on its machine (docs/operate/operators.md). */
export function addOperatorCommands(program: Command, does: Does, places: PartyPlaces): void {
  const partyAt = partyFinder(places)
  const operator = program
    .command('operator')
    .description('who may do grave acts at a party, by name and one-time code; runs on its machine')
  const enrol = withParty(operator.command('enrol'))
    .description('enrol an operator; shows the secret for her authenticator app, this once')
    .requiredOption('--name <name>', 'under which the log will know her, such as asha.rao')
    .option('--again', 'one who lost her phone, or was ended: another secret, the one before proves nothing more')
    .option('--json', 'answer as JSON')
  enrol.action(
    does(() => {
      const options = enrol.opts<Options & { name: string; again?: boolean }>()
      return enrolCommand(partyAt, options)
    }),
  )
  const status = withParty(operator.command('status'))
    .description('who is and was enrolled, and when each last proved it')
    .option('--json', 'answer as JSON')
  status.action(does(() => statusCommand(partyAt, status.opts<Options>())))
  const end = withParty(operator.command('end'))
    .description('end an operator: her codes prove nothing more')
    .argument('<name>', 'her name, as "operator status" shows it')
  end.action(does(() => endCommand(partyAt, end.opts<Options>(), end.args[0] ?? '')))
}

function withParty(command: Command): Command {
  return command
    .option('--config <file>', 'settings of the party')
    .option('--party <key>', 'of the sample network: exchange, tarangini, …')
}

/** The party of `--config`, or of the sample network by `--party`. */
export const partyFinder =
  ({ read, sample }: PartyPlaces): PartyAt =>
  async ({ config, party }) => {
    if (config !== undefined) return aloneOf(read(config))
    const { parties } = await sample()
    const keyOf = ({ name }: SiteParty): string => name.replace(/^amanat_/, '')
    const found = parties.find((one) => keyOf(one) === party)
    if (found !== undefined) return found
    throw new ConfigFault(
      `name the settings of the party with --config FILE, or one of the sample network with --party: ${parties.map(keyOf).join(', ')}`,
    )
  }

/** Whose account of the machine it was. */
function whoActs(): Actor {
  try {
    return { kind: 'operator', id: `${userInfo().username} at the machine` }
  } catch {
    // Its user id has no name there.
    return { kind: 'operator', id: `user ${process.getuid?.() ?? ''} at the machine` }
  }
}

function refused({ detail, code }: Refusal): number {
  process.stderr.write(`amanat: ${detail} (${code})\n`)
  return 1
}

async function enrolCommand(
  partyAt: PartyAt,
  options: Options & { readonly name: string; readonly again?: boolean },
): Promise<number> {
  const party = await partyAt(options)
  const { name, again = false } = options
  const order = { name, again, party: party.config.name, actor: whoActs() }
  const made = await atParty(party, ({ machine }) => transact(machine, (tx) => enrolOperator(tx, order)))
  if (isRefusal(made)) return refused(made)
  if (options.json) out(JSON.stringify(made))
  else {
    // A terminal may be light or dark; in colours of its own the code is read on both.
    out(await drawText(made.uri, process.stdout.isTTY ? { type: 'terminal', small: true } : { type: 'utf8' }))
    out(`name     ${made.name}`)
    out(`secret   ${made.secret}`)
    out(`uri      ${made.uri}`)
    out('Scan the code, or type the secret, into an authenticator app. It is shown this once: clear the screen then.')
    out(`Grave acts are now done with --code ${made.name}:CODE, or the header X-Operator-Code: ${made.name}:CODE.`)
  }
  return 0
}

async function statusCommand(partyAt: PartyAt, options: Options): Promise<number> {
  const { config, ...party } = await partyAt(options)
  const operators = await atParty({ config, ...party }, ({ machine }) => transact(machine, listOperators))
  if (options.json) out(JSON.stringify(operators))
  else if (operators.length === 0)
    out(
      `Nobody. ${config.sandbox ? 'In this sandbox grave acts take the operator token alone' : 'Grave acts are refused'} until: amanat operator enrol --help`,
    )
  else
    for (const { name, status, enrolledAt, provedAt } of operators)
      out(
        `${name.padEnd(24)} ${status.padEnd(7)} enrolled ${enrolledAt.toISOString()}  last code ${provedAt?.toISOString() ?? 'never'}`,
      )
  return operators.some(({ status }) => status === 'active') || config.sandbox ? 0 : 1
}

async function endCommand(partyAt: PartyAt, options: Options, name: string): Promise<number> {
  const order = { name, actor: whoActs() }
  const ended = await atParty(await partyAt(options), ({ machine }) =>
    transact(machine, (tx) => endOperator(tx, order)),
  )
  if (isRefusal(ended)) return refused(ended)
  out(`${ended.name} is ended: codes of that name prove nothing more.`)
  return 0
}

/**
 * Works in the database of a party, with its keys: on its machine, beside the running party or without it.
 * @throws ConfigFault when the database is not reached, or older than this program
 */
export async function atParty<T>(party: SiteParty, work: (opened: OpenParty) => Promise<T>): Promise<T> {
  const server = await reachServer({ parties: [party] }, true)
  if (server === undefined)
    throw new ConfigFault(
      `the database of ${party.config.name} is not reached. Start the party once (amanat serve), or mend the address in its settings.`,
    )
  try {
    const opened = await openParty(party.config, server.url(party.name), 'running')
    try {
      await insistOnSchema(opened.machine, party)
      await insistOnKeys(opened.machine, party)
      return await work(opened)
    } finally {
      await opened.close()
    }
  } finally {
    await server.stop()
  }
}

async function insistOnSchema({ db }: Machine, { config }: SiteParty): Promise<void> {
  const { rows } = await sql<{ there: boolean }>`select to_regclass('party_operator') is not null as there`.execute(db)
  if (!rows[0]?.there)
    throw new ConfigFault(
      `the database of ${config.name} is older than this program, or empty. Start the party once, or run amanat migrate.`,
    )
}

/** A secret that was sealed with other keys would let nobody in. */
async function insistOnKeys(machine: Machine, { config }: SiteParty): Promise<void> {
  const keys = await openKeys(config.keysFolder)
  const keyring = await openKeyring(config, keys, { random, now: clock })
  try {
    await transact(machine, (tx) => tieKeysToDatabase(tx, keys, keyring))
  } finally {
    await keyring.close()
  }
}
