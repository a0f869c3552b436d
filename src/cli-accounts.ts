import type { Command } from 'commander'
import { asOperator, type Does, withCode } from './cli-party.ts'
import { closeAccountCommand, listClosedCommand, reopenAccountCommand } from './sandbox/account-command.ts'
import type { OwnParty } from './sandbox/client.ts'

/** `amanat account …`: for patients who cannot close their account in the app, or want it back. */
export function addAccountCommands(program: Command, does: Does, partyOf: (file: string) => OwnParty): void {
  const account = program.command('account').description('patients’ accounts at a running exchange: close, open again')
  for (const [verb, run, says] of [
    ['close', closeAccountCommand, 'stop all sharing and close the account; it is kept for a year by law, then erased'],
    ['reopen', reopenAccountCommand, 'open a closed account again; what was stopped stays stopped'],
  ] as const) {
    const command = withCode(account.command(verb))
      .description(says)
      .argument('<abha-address>', 'whose account')
      .requiredOption('--config <file>', 'settings of the exchange')
      .requiredOption('--wish <words>', 'where the patient’s written wish is filed')
    command.action(
      does(() => {
        const { config, wish, ...by } = command.opts<{ config: string; wish: string; code?: string }>()
        return run(asOperator(partyOf(config), by), command.args[0] ?? '', wish)
      }),
    )
  }
  const closed = account
    .command('closed')
    .description('accounts that are closed, with the day on which each is erased')
    .requiredOption('--config <file>', 'settings of the exchange')
  closed.action(does(() => listClosedCommand(partyOf(closed.opts<{ config: string }>().config))))
}
