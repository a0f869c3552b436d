import type { Command } from 'commander'
import { addAsking, asOperator, type Does, withCode } from './cli-party.ts'
import type { OwnParty } from './sandbox/client.ts'
import { destroyKeyCommand, keysStatusCommand, rotateKeysCommand } from './sandbox/keys-command.ts'

/** `amanat keys …`. `partyOf` reads where the party of a settings file listens on this machine. */
export function addKeysCommands(program: Command, does: Does, partyOf: (file: string) => OwnParty): void {
  const keys = program.command('keys').description('the wrapping keys of a running party (docs/operate/keys.md)')
  addAsking(keys, does, partyOf, {
    name: 'status',
    says: 'the versions, and how many data keys each has wrapped',
    of: 'party',
    run: keysStatusCommand,
  })
  addAsking(keys, does, partyOf, {
    name: 'rotate',
    says: 'make a new version; the data keys are wrapped anew in the background, no data is touched',
    of: 'party',
    grave: true,
    run: rotateKeysCommand,
  })
  const destroy = withCode(keys.command('destroy'))
    .description('destroy an old version that wraps nothing any more; backups from its time open no more')
    .argument('<version>', 'its name, as "keys status" shows it')
    .requiredOption('--config <file>', 'settings of the party')
  destroy.action(
    does(() => {
      const { config, ...by } = destroy.opts<{ config: string; code?: string }>()
      return destroyKeyCommand(asOperator(partyOf(config), by), destroy.args[0] ?? '')
    }),
  )
}
