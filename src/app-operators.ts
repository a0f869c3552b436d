import type { PartyConfig } from './config.ts'
import { type Machine, transact } from './db/tx.ts'
import type { OperatorProof } from './http/operator-proof.ts'
import { lacksOperators, proveOperator } from './operators/commands.ts'
import type { PartyKeys } from './vault/key-file.ts'

/** How a party finds out which operator does a grave act, and what it says while it can find out of nobody. */
export function operatorParts(
  { sandbox }: Pick<PartyConfig, 'sandbox'>,
  { indexKey }: Pick<PartyKeys, 'indexKey'>,
  machine: Machine,
): { readonly proof: OperatorProof; readonly alarms: () => Promise<readonly string[]> } {
  return {
    proof: (tx, caller, given) => proveOperator(tx, { indexKey, sandbox }, caller, given),
    alarms: async () =>
      (await transact(machine, (tx) => lacksOperators(tx, { sandbox })))
        ? ['Nobody is enrolled as an operator: grave acts are refused. Run amanat operator enrol.']
        : [],
  }
}
