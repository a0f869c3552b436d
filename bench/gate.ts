// How fast the gate decides, against finding one value in a Map by the same key.
// Run: node bench/gate.ts
import { compileFacts, decide, decideCompiled } from '../src/policy/decide.ts'
import type { ConsentFact, Facts, Question } from '../src/policy/gate.ts'
import { compare, say } from './measure.ts'

const ROUND = 500
const now = new Date()
const daysAgo = (days: number): Date => new Date(now.getTime() - days * 86_400_000)
const names = { patient: 'asha.rao@sbx', recipient: 'IN2710000022', holder: 'IN2710000011', purpose: 'CAREMGT' }
const types = ['Prescription', 'DiagnosticReport', 'OPConsultation'] as const

const question: Question = {
  ...names,
  types,
  period: { from: daysAgo(365), to: daysAgo(1) },
  actor: { kind: 'operator', id: 'bench' },
  channel: 'desk',
  mode: 'request',
  now,
}

/** `matching` of the consents are about the question's own parties and purpose, the others about other recipients. */
function facts(count: number, matching: number): Facts {
  const consents = Array.from({ length: count }, (_, i): ConsentFact => {
    const own = i < matching ? {} : { recipient: `IN27100${String(i).padStart(5, '0')}` }
    return {
      id: `consent-${i}`,
      readable: true,
      status: 'GRANTED',
      ...names,
      ...own,
      types,
      period: { from: daysAgo(400 - (i % 30)), to: now },
      eraseAt: daysAgo(-30),
      frequency: { unit: 'DAY', value: 1, repeats: 3 },
      usedAt: [daysAgo(2)],
      acknowledged: true,
    }
  })
  return { recipient: 'active', holder: 'active', consents, refusals: [] }
}

const times = (work: () => unknown) => (): void => {
  for (let i = 0; i < ROUND; i++) work()
}
const rate = (roundMs: number): string => `${Math.round((1000 * ROUND) / roundMs)}/s`

for (const count of [1, 10, 100]) {
  for (const matching of new Set([1, count])) {
    const some = facts(count, matching)
    const compiled = compileFacts(some)
    const map = new Map(
      some.consents.map((consent) => [JSON.stringify([...Object.values(names), consent.id]), consent]),
    )
    if (decide(question, some).outcome === 'deny') throw new Error('the gate should let this pass')
    const [whole = 0, ready = 0, lookUp = 0] = compare(40, [
      times(() => decide(question, some)),
      times(() => decideCompiled(question, compiled)),
      times(() => map.get(JSON.stringify([...Object.values(names), 'consent-0']))),
    ])
    const what = `decide, ${count} consents, ${matching} match`
    say(
      what,
      whole / lookUp,
      'a Map lookup',
      `${rate(whole)}, facts compiled before ${rate(ready)}; lookup ${rate(lookUp)}`,
    )
  }
}
