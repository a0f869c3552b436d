import { type Command, Option } from 'commander'
import { addAsking, asOperator, type Does, withCode } from './cli-party.ts'
import { STAFF_ROLES } from './kernel/staff-role.ts'
import type { OwnParty } from './sandbox/client.ts'
import { confirmStaffCommand, inviteStaffCommand, listStaffCommand } from './sandbox/staff-command.ts'

/** `amanat staff …`. `facilityOf` reads where the facility of a settings file listens on this machine. */
export function addStaffCommands(program: Command, does: Does, facilityOf: (file: string) => OwnParty): void {
  const staff = program
    .command('staff')
    .description('the staff of a running facility: how its first administrator comes in')
  const invite = withCode(staff.command('invite'))
    .description('invite a person; answers the link with which she sets her password and authenticator app')
    .requiredOption('--config <file>', 'settings of the facility')
    .requiredOption('--login <login>', 'what she types to sign in, such as meera.nair')
    .requiredOption('--name <name>', 'her name, as patients read it in who looked at their records')
    .addOption(new Option('--role <role>', 'her work').choices([...STAFF_ROLES]).makeOptionMandatory())
    .option('--registration <number>', 'her number in the register of her profession')
    .option('--json', 'answer as JSON')
  invite.action(
    does(() => {
      const { config, code, ...who } = invite.opts<
        { config: string; code?: string; json?: boolean } & Parameters<typeof inviteStaffCommand>[1]
      >()
      return inviteStaffCommand(asOperator(facilityOf(config), { code }), who)
    }),
  )
  const confirm = withCode(staff.command('confirm'))
    .description('confirm an account that an administrator gave, where nobody else at the facility may')
    .requiredOption('--config <file>', 'settings of the facility')
    .requiredOption('--login <login>', 'what she types to sign in; ask her yourself whether she set the account up')
  confirm.action(
    does(() => {
      const { config, code, login } = confirm.opts<{ config: string; code?: string; login: string }>()
      return confirmStaffCommand(asOperator(facilityOf(config), { code }), { login })
    }),
  )
  addAsking(staff, does, facilityOf, {
    name: 'list',
    says: 'who works or worked there, in which role',
    of: 'facility',
    run: listStaffCommand,
  })
}
