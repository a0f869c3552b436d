import type { Command } from 'commander'
import { addAsking, asOperator, type Does, withCode } from './cli-party.ts'
import type { OwnParty } from './sandbox/client.ts'
import {
  addPartnerCommand,
  listPartnersCommand,
  type ProofWords,
  partnerKeysCommand,
  partnerStatusCommand,
} from './sandbox/partner-command.ts'
import { rotateClientKey, rotateSigningKey } from './vault/key-file.ts'

type Party = OwnParty & {
  readonly publicUrl: string
  readonly keysFolder: string
}

type Named = { readonly config: string; readonly code?: string }

const out = (text: string): void => void process.stdout.write(`${text}\n`)

/** `amanat partner …`: software of partners at a running party (docs/integrate/partners.md). */
export function addPartnerCommands(program: Command, does: Does, partyOf: (file: string) => Party): void {
  const partner = program
    .command('partner')
    .description('software of partners at a running party: admit it, change its keys, shut it out')
  const add = withProof(partner.command('add'))
    .description('admit software of a partner; answers its client id and where it gets tokens')
    .requiredOption('--name <name>', 'what it is, such as "Laboratory system of Pratibimb"')
    .requiredOption('--facilities <ids>', 'facilities that it speaks for; several with commas')
    .option('--scopes <scopes>', 'what its tokens may open', 'system/Consent.rs system/AuditEvent.rs')
    .option('--id <id>', 'its client id; without it one is made')
    .option(
      '--bearer',
      'give tokens that are bound to no key: only for software that knows neither DPoP nor certificates',
    )
    .option('--json', 'answer as JSON')
  add.action(
    does(() => {
      const { config, code, ...words } = add.opts<Named & Parameters<typeof addPartnerCommand>[1]>()
      return addPartnerCommand(asOperator(partyOf(config), { code }), words)
    }),
  )
  const keys = withProof(partner.command('keys'))
    .description('other keys or certificates for a client; tokens that it had are void')
    .argument('<client>', 'its client id')
  keys.action(
    does(() => {
      const { config, code, ...words } = keys.opts<Named & ProofWords>()
      return partnerKeysCommand(asOperator(partyOf(config), { code }), keys.args[0] ?? '', words)
    }),
  )
  for (const verb of ['suspend', 'resume'] as const) {
    const command = withCode(partner.command(verb))
      .description(verb === 'suspend' ? 'shut a client out: its tokens are void at once' : 'let a client in again')
      .argument('<client>', 'its client id')
      .requiredOption('--config <file>', 'settings of the party')
    command.action(
      does(() => {
        const { config, ...by } = command.opts<Named>()
        return partnerStatusCommand(asOperator(partyOf(config), by), command.args[0] ?? '', verb)
      }),
    )
  }
  addAsking(partner, does, partyOf, {
    name: 'list',
    says: 'the clients that were admitted',
    of: 'party',
    run: listPartnersCommand,
  })
  addOwnKeys(partner, does, partyOf)
}

function withProof(command: Command): Command {
  return withCode(command)
    .requiredOption('--config <file>', 'settings of the party')
    .option('--jwks <file>', 'file with its public keys (JWK set)')
    .option('--jwks-uri <url>', 'where it publishes its public keys')
    .option('--certificate <files...>', 'certificates (PEM) that it presents over TLS')
    .option('--certificate-host <name>', 'host name in its certificate of an authority that tls.clientCa trusts')
}

/** Our own keys: as a client of others, and with which we sign what others believe. */
function addOwnKeys(partner: Command, does: Does, partyOf: (file: string) => Party): void {
  const rotate = partner
    .command('rotate-own-key')
    .description('a new key with which this party proves itself to its exchange; used from its next start')
    .requiredOption('--config <file>', 'settings of the party')
  const signing = partner
    .command('rotate-signing-key')
    .description('a new key with which this party signs artefacts, tokens and callbacks; used from its next start')
    .requiredOption('--config <file>', 'settings of the party')
    .option('--stolen', 'the key before was stolen: what it signed is not believed any more')
  signing.action(
    does(async () => {
      const { config, stolen } = signing.opts<{ config: string; stolen?: boolean }>()
      await rotateSigningKey(partyOf(config).keysFolder, { keepOld: stolen !== true })
      out('The new key is in keys.json; back it up. Restart the party: it then signs with it.')
      if (stolen) out('Sessions, link tokens and tokens of patients that were signed before are void then.')
      return 0
    }),
  )
  rotate.action(
    does(async () => {
      const { keysFolder, publicUrl } = partyOf(rotate.opts<{ config: string }>().config)
      rotateClientKey(keysFolder)
      out('The new key is in keys.json; back it up. Restart the party: it then signs with it, and publishes both at')
      out(`${publicUrl}/.well-known/jwks.json`)
      return 0
    }),
  )
}
