import { announce, record } from '../audit/record.ts'
import type { Tx } from '../db/tx.ts'
import { type Actor, type Caller, operatorOf } from '../kernel/caller.ts'
import { isRefusal, type Refusal, refuse } from '../kernel/refusal.ts'
import { makeCodeSecret, shareCodeSecret, stepOfCode } from '../people/authenticator.ts'
import { openSecret, sealSecret } from '../people/sealed-secret.ts'
import { countGuess, forgetGuesses, type ThrottleNeeds } from '../people/sign-in-throttle.ts'
import { type Operator, type OperatorEvent, parseOperatorCode, parseOperatorName } from './operator.ts'
import * as store from './store.ts'

export type OperatorNeeds = ThrottleNeeds & { readonly sandbox: boolean }

const TABLE = 'party_operator'
const HOW = 'send the header X-Operator-Code: NAME:CODE (on the command line --code NAME:CODE)'
const ENROL = 'on the machine of this party: amanat operator enrol --config FILE --name NAME'

/** What an authenticator app is given, shown this once. */
export type SharedSecret = { readonly name: string; readonly uri: string; readonly secret: string }

function nameOf(text: string): string | Refusal {
  return (
    parseOperatorName(text) ??
    refuse(
      'request/invalid-field',
      'The name has 3 to 40 letters, digits, or any of . _ - and is not one of a program, such as operator.',
      'name',
    )
  )
}

/**
 * Enrols an operator, who counts at once. `again`: one who is or was enrolled gets another secret, and codes of the old one prove
 * nothing. For commands on the machine of the party: whoever may call this has its keys.
 */
export async function enrolOperator(
  tx: Tx,
  input: { readonly name: string; readonly again: boolean; readonly party: string; readonly actor: Actor },
): Promise<SharedSecret | Refusal> {
  const name = nameOf(input.name)
  if (isRefusal(name)) return name
  const before = await store.lockOperator(tx, name)
  if (before !== undefined && !input.again)
    return refuse('operator/name-taken', `${name} is or was enrolled. --again gives another secret; the old one ends.`)
  const secret = makeCodeSecret(tx.random)
  const type = before === undefined ? 'operator.enrolled' : 'operator.renewed'
  const recorded = await record<OperatorEvent>(tx, { type, actor: input.actor, subject: name })
  const sealed = await sealSecret(tx, name, secret, TABLE)
  await store.moveOperator(tx, recorded, before, { status: 'active', secret: sealed })
  await announce(tx, recorded)
  const { uri, text } = shareCodeSecret(secret, input.party, name)
  return { name, uri, secret: text }
}

/** Ends an operator: the secret is gone, the name stays known. */
export async function endOperator(
  tx: Tx,
  input: { readonly name: string; readonly actor: Actor },
): Promise<Operator | Refusal> {
  const name = nameOf(input.name)
  if (isRefusal(name)) return name
  const before = await store.lockOperator(tx, name)
  if (before?.status !== 'active') return refuse('operator/unknown')
  const recorded = await record<OperatorEvent>(tx, { type: 'operator.ended', actor: input.actor, subject: name })
  await store.moveOperator(tx, recorded, before, { status: 'ended' })
  await announce(tx, recorded)
  return { name, status: 'ended', enrolledAt: before.enrolledAt }
}

/** Everybody who is or was enrolled. */
export async function listOperators(tx: Tx): Promise<readonly Operator[]> {
  const rows = await store.listOperatorRows(tx)
  return rows.map(({ secret: _secret, codeStepUsed: _step, ...operator }) => operator)
}

const hasActive = async (tx: Tx): Promise<boolean> =>
  (await store.listOperatorRows(tx)).some(({ status }) => status === 'active')

/** Whether this party has nobody who could do a grave act, and is no sandbox. */
export async function lacksOperators(tx: Tx, { sandbox }: Pick<OperatorNeeds, 'sandbox'>): Promise<boolean> {
  return !sandbox && !(await hasActive(tx))
}

/**
 * Which operator does a grave act, by a code that was not used before: the caller with that name. Without anybody enrolled nothing grave
 * is done, except in a sandbox. Wrong codes are recorded, and slow down further tries at that name; a name that nobody has takes the
 * same path.
 */
export async function proveOperator(
  tx: Tx,
  needs: OperatorNeeds,
  caller: Caller,
  given: { readonly code: string | undefined; readonly act: string },
): Promise<Caller | Refusal> {
  if (!(await hasActive(tx)))
    return needs.sandbox ? caller : refuse('operator/none-enrolled', `Enrol an operator first, ${ENROL}. Then ${HOW}.`)
  if (given.code === undefined)
    return refuse('operator/proof-needed', `To do this, ${HOW}, with the code that your authenticator app shows now.`)
  const parsed = parseOperatorCode(given.code)
  if (parsed === undefined)
    return refuse('operator/wrong-code', `To do this, ${HOW}, such as asha:123456.`, 'X-Operator-Code')
  const guessed = { what: 'operator-code', of: parsed.name } as const
  const slowed = await countGuess(tx, needs, guessed)
  if (slowed) return slowed
  const found = await provedBy(tx, parsed)
  if (isRefusal(found)) {
    const type = 'operator.proof-failed'
    const actor = operatorOf(caller)
    await announce(tx, await record<OperatorEvent>(tx, { type, actor, subject: parsed.name, act: given.act }))
    return found
  }
  const actor = { kind: 'operator', id: parsed.name } as const
  const event = { type: 'operator.proved', actor, subject: parsed.name, act: given.act } as const
  const recorded = await record<OperatorEvent>(tx, event)
  await store.saveStep(tx, recorded, found.operator, found.step)
  await forgetGuesses(tx, needs, guessed)
  await announce(tx, recorded)
  return { kind: 'operator', name: parsed.name, proved: true }
}

/** Whose code it is, and of which 30-second step, if it is still good. The operator stays locked: a code is good once. */
async function provedBy(
  tx: Tx,
  given: { readonly name: string; readonly code: string },
): Promise<{ readonly operator: store.OperatorRow; readonly step: number } | Refusal> {
  const operator = await store.lockOperator(tx, given.name)
  if (operator?.secret === undefined) return refuse('operator/wrong-code')
  const secret = await openSecret(tx, operator.name, operator.secret, TABLE)
  const step = stepOfCode(secret, given.code, tx.now, operator.codeStepUsed)
  if (step !== undefined) return { operator, step }
  const isUsed = stepOfCode(secret, given.code, tx.now, 0) !== undefined
  return refuse('operator/wrong-code', isUsed ? 'This code was used already; wait for the next one.' : undefined)
}
