import type { Command } from 'commander'
import { ConfigFault, readConfigFile } from './config.ts'
import type { OwnParty } from './sandbox/client.ts'

/** Runs what a command does, prints its fault in a sentence, and ends with its exit code. */
export type Does = (action: () => Promise<number>) => () => Promise<void>

/** What a command of a grave act takes beside its own words; see {@link asOperator}. */
export function withCode(command: Command): Command {
  return command.option(
    '--code <name:code>',
    'which operator does it, with the code of her authenticator app, such as asha:123456 (docs/operate/operators.md)',
  )
}

/** The party, called by the operator whom `--code` names. */
export function asOperator<Party extends OwnParty>(
  party: Party,
  { code }: { readonly code?: string | undefined },
): Party {
  return code === undefined ? party : { ...party, operatorCode: code }
}

/** `name` below `parent`: asks the running party of `--config`, and answers for people or as JSON. */
export function addAsking<Party extends OwnParty>(
  parent: Command,
  does: Does,
  partyOf: (file: string) => Party,
  command: {
    readonly name: string
    readonly says: string
    /** Whose settings. */
    readonly of: 'party' | 'facility'
    /** An operator must prove who she is. */
    readonly grave?: true
    readonly run: (party: Party, options: { readonly json?: boolean }) => Promise<number>
  },
): void {
  const added = parent
    .command(command.name)
    .description(command.says)
    .requiredOption('--config <file>', `settings of the ${command.of}`)
    .option('--json', 'answer as JSON')
  if (command.grave) withCode(added)
  added.action(
    does(() => {
      const { config, code, ...options } = added.opts<{ config: string; code?: string; json?: boolean }>()
      return command.run(asOperator(partyOf(config), { code }), options)
    }),
  )
}

type Env = Readonly<Record<string, string | undefined>>

/** Where the facility of these settings listens on this machine, and the token of its operator. */
export function readFacility(file: string, env: Env) {
  if (readConfigFile(file, env).role !== 'facility')
    throw new ConfigFault(`${file} is of an exchange; staff work at facilities`)
  return readParty(file, env)
}

/** The same for the exchange, where patients have their accounts. */
export function readExchange(file: string, env: Env) {
  if (readConfigFile(file, env).role !== 'exchange')
    throw new ConfigFault(`${file} is of a facility; patients have their accounts at the exchange`)
  return readParty(file, env)
}

/** Where the party of these settings listens on this machine, and the token of its operator. */
export function readParty(file: string, env: Env) {
  const { name, listen, operatorToken, publicUrl, keysFolder, tls } = readConfigFile(file, env)
  const host = listen.host === '0.0.0.0' || listen.host === '::' ? '127.0.0.1' : listen.host
  // Its certificate is for the name by which others reach it.
  const url = tls === undefined ? `http://${host.includes(':') ? `[${host}]` : host}:${listen.port}` : publicUrl
  return { url, name, operatorToken, publicUrl, keysFolder }
}
