import type { Command } from 'commander'
import { logVerifyCommand } from './audit/verify-command.ts'
import { atParty, type PartyPlaces, partyFinder } from './cli-operators.ts'
import type { Does } from './cli-party.ts'
import { ConfigFault } from './config.ts'
import { checkAllRows, checkPatients, checkStandings } from './recovery/party-checks.ts'

type VerifyWord = keyof typeof VERIFY_WORDS
const VERIFY_WORDS = { key: '--key', policy: '--policy', since: '--since', timestamp: '--timestamp', tsaCa: '--tsa-ca' }

type Where = { readonly config?: string; readonly party?: string }
type Options = Where & { readonly witness?: readonly string[] } & Readonly<Partial<Record<VerifyWord, string>>>

const out = (text: string): void => void process.stdout.write(`${text}\n`)

/** `amanat log verify …`: a log from outside, or the database of a party beside its log. */
export function addLogCommands(program: Command, does: Does, places: PartyPlaces): void {
  const verify = program.command('log').description('the tamper-evident log: verify').command('verify')
  verify
    .description(
      'check a whole log (URL or folder), with --since also that it continues an older checkpoint, or one receipt (file); or, with --config, on the machine of a party: whether the rows of its database are what its log says',
    )
    .argument('[what]', 'https://host/log, a folder, or a receipt file')
    .option('--key <vkey>', 'verifier key that you trust; without it the key is taken from the log itself, and said so')
    .option('--witness <vkey...>', 'verifier keys of witnesses whose cosignatures must be there')
    .option('--policy <file>', 'known logs, witnesses, and the quorum that makes a checkpoint count (C2SP tlog-policy)')
    .option('--since <checkpoint>', 'file with an older checkpoint: the log must continue it')
    .option('--timestamp <file>', 'saved answer of <log>/timestamps/<size>: the log was so long then, and continues it')
    .option('--tsa-ca <file>', 'certificates, in PEM, of the time-stamp authorities that you trust')
    .option('--config <file>', 'settings of the party whose database is checked')
    .option('--party <key>', 'the same, of the sample network: exchange, tarangini, …')
    .action(does(() => verifyCommand(verify.args, verify.opts<Options>(), places)))
}

async function verifyCommand(args: readonly string[], options: Options, places: PartyPlaces): Promise<number> {
  const { config, party, witness = [], ...words } = options
  if (config === undefined && party === undefined) {
    const given = Object.entries(words).flatMap(([name, word]) => [VERIFY_WORDS[name as VerifyWord], word])
    return logVerifyCommand([...args, ...witness.flatMap((vkey) => ['--witness', vkey]), ...given])
  }
  if (args.length > 0 || witness.length > 0 || Object.keys(words).length > 0)
    throw new ConfigFault('--config and --party check the database of a party, and take nothing else')
  return verifyRows(options, places)
}

/** Every event beside the tree, and every row that follows from events beside them. */
async function verifyRows(where: Where, places: PartyPlaces): Promise<number> {
  const found = await partyFinder(places)(where)
  return atParty(found, async (opened) => {
    const checks = [
      await checkAllRows(found.name, opened.machine),
      await checkPatients(found.name, opened.machine),
      await checkStandings(found.name, opened, out),
    ]
    for (const { check, passed, detail } of checks)
      out(`${passed === false ? 'failed' : 'ok    '}  ${check}: ${detail}`)
    return checks.every(({ passed }) => passed !== false) ? 0 : 1
  })
}
