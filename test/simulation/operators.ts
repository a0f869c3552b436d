import { transact } from '../../src/db/tx.ts'
import { must } from '../../src/kernel/refusal.ts'
import { enrolOperator } from '../../src/operators/commands.ts'
import { codeOfSecret } from '../../src/people/authenticator.ts'
import type { SimParty } from './party.ts'

/** So many that each grave act of half a minute has one whose code was not used yet. */
const OPERATORS_EACH = 6
const STEP_MS = 30_000
const GRAVE = /^\/v1\/(bridges|facilities|partners|copies\/[^/]+\/claim)(\/|$)/

/** Operators of the parties, who prove by codes that it is they; their authenticator apps. */
export class Operators {
  readonly #secrets = new Map<string, readonly string[]>()
  /** The newest step of each code that was sent. */
  readonly #sent = new Map<string, number>()

  async enrol({ id, built }: SimParty): Promise<void> {
    const secrets: string[] = []
    for (let i = 0; i < OPERATORS_EACH; i++) {
      const order = {
        name: `operator.${i}`,
        again: false,
        party: id,
        actor: { kind: 'operator', id: 'machine' },
      } as const
      secrets.push(must(await transact(built.machine, (tx) => enrolOperator(tx, order))).secret)
    }
    this.#secrets.set(id, secrets)
  }

  /** The world was set back: no code was used. */
  setBack(): void {
    this.#sent.clear()
  }

  /** What a call of an operator sends beside her token, if the act is grave; undefined when nobody has a fresh code now. */
  proofFor(party: SimParty, path: string): Readonly<Record<string, string>> | undefined {
    if (!GRAVE.test(path)) return {}
    const now = party.now()
    const step = Math.floor(now.getTime() / STEP_MS)
    const secrets = this.#secrets.get(party.id) ?? []
    const free = secrets.findIndex((_, i) => (this.#sent.get(`${party.id} ${i}`) ?? 0) < step)
    const secret = secrets[free]
    if (secret === undefined) return undefined
    this.#sent.set(`${party.id} ${free}`, step)
    return { 'x-operator-code': `operator.${free}:${codeOfSecret(secret, now)}` }
  }
}
