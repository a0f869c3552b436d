import type { Command } from 'commander'
import { destroyKeyCommand, keysStatusCommand, rotateKeysCommand } from './sandbox/keys-command.ts'

type Does = (action: () => Promise<number>) => () => Promise<void>
type Party = Parameters<typeof rotateKeysCommand>[0]

/** `amanat keys …`. `partyOf` reads where the party of a settings file listens on this machine. */
export function addKeysCommands(program: Command, does: Does, partyOf: (file: string) => Party): void {
  const keys = program.command('keys').description('the wrapping keys of a running party (docs/operate/keys.md)')
  const status = keys
    .command('status')
    .description('the versions, and how many data keys each has wrapped')
    .requiredOption('--config <file>', 'settings of the party')
    .option('--json', 'answer as JSON')
  status.action(
    does(() => {
      const { config, ...options } = status.opts<{ config: string; json?: boolean }>()
      return keysStatusCommand(partyOf(config), options)
    }),
  )
  const rotate = keys
    .command('rotate')
    .description('make a new version; the data keys are wrapped anew in the background, no data is touched')
    .requiredOption('--config <file>', 'settings of the party')
    .option('--json', 'answer as JSON')
  rotate.action(
    does(() => {
      const { config, ...options } = rotate.opts<{ config: string; json?: boolean }>()
      return rotateKeysCommand(partyOf(config), options)
    }),
  )
  const destroy = keys
    .command('destroy')
    .description('destroy an old version that wraps nothing any more; backups from its time open no more')
    .argument('<version>', 'its name, as "keys status" shows it')
    .requiredOption('--config <file>', 'settings of the party')
  destroy.action(
    does(() => destroyKeyCommand(partyOf(destroy.opts<{ config: string }>().config), destroy.args[0] ?? '')),
  )
}
