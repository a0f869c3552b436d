import { consentsSeenBy } from '../src/desk/rules.ts'
import { HI_TYPES, type HiType } from '../src/fhir/hi-type.ts'
import type { Route } from '../src/http/route.ts'
import { STAFF_ACTS, STAFF_ROLES, type StaffRole } from '../src/kernel/staff-role.ts'
import { mayDo } from '../src/people/rules.ts'
import { decide } from '../src/policy/decide.ts'
import type { ConsentFact, Facts, Question } from '../src/policy/gate.ts'
import { exportsOf, listedTypes, type Reading, type Relation, readingsOf } from '../src/records/rules.ts'
import { routeTables } from './route-tables.ts'

/** The parts of docs/permissions.md that are computed from the rules themselves: roles, records and states. */
export function accessTables(): string {
  return `## What the staff of a facility may do

From \`people/rules.ts\`; the desk shows its buttons by the same answers. The administrator gives accounts and reads no health data; nobody has everything.

${actsTable()}

## Whose records a role reads, and when

From \`records/rules.ts\`. Of records of others each consent narrows further. Every reading is recorded with its purpose and its ground before anything is opened. A file takes a proof anew (\`export.read\`), and what others sent goes into it only under a consent to store.

${readingsTable()}

\`desk/rules.ts\`: ${seenTable()}

## What the state of a consent lets through

What the gate answers (\`policy/decide.ts\`, asked while this page was made) when a document under one consent is asked for.

${statesTable()}
`
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [line(head), `|${'---|'.repeat(head.length)}`, ...rows.map(line)].join('\n')
}

function actsTable(): string {
  const rows = STAFF_ACTS.map((act) => [`\`${act}\``, ...STAFF_ROLES.map((role) => (mayDo(role, act) ? 'yes' : ''))])
  return table(['', ...STAFF_ROLES], rows)
}

/** How somebody may stand to a patient. `reading.db.test.ts` reads as every role in each of them. */
const RELATIONS: readonly (readonly [says: string, relation: Omit<Relation, 'role'>])[] = [
  ['not attending', { attends: false }],
  ['attending, in a visit that is open', { attends: true }],
  ['after breaking the glass, for minutes', { attends: false, emergencyUntil: new Date(0) }],
]

function readingsTable(): string {
  const rows = STAFF_ROLES.map((role) => [
    role,
    kinds(listedTypes(role)),
    ...RELATIONS.map(
      ([, relation]) =>
        readingsOf({ role, ...relation })
          .map(says)
          .join('<br>') || 'nothing',
    ),
    exportsOf(role).map(says).join('<br>') || 'nothing',
  ])
  return table(['', 'knows that there is', ...RELATIONS.map(([state]) => state), 'takes out as a file'], rows)
}

const kinds = (types: readonly HiType[]): string =>
  types.length === HI_TYPES.length ? 'all kinds' : types.length === 0 ? 'nothing' : types.join(', ')

function says({ purpose, own, received }: Reading): string {
  return own === received || own.join() === received.join()
    ? `${kinds(own)} (${purpose})`
    : `own: ${kinds(own)}, of others: ${kinds(received)} (${purpose})`
}

function seenTable(): string {
  const seen = Map.groupBy(STAFF_ROLES, (role: StaffRole) => consentsSeenBy(role).join(', ') || 'nobody')
  return [...seen].map(([askers, roles]) => `${roles.join(', ')} see consent requests of ${askers}`).join('; ') + '.'
}

const NOW = new Date('2026-11-22T06:00:00Z')
const DAY_MS = 86_400_000
const days = (count: number): Date => new Date(NOW.getTime() + count * DAY_MS)

const GRANTED = {
  id: 'consent',
  readable: true,
  status: 'GRANTED',
  patient: 'asha.rao@sbx',
  recipient: 'hiu',
  holder: 'hip',
  purpose: 'CAREMGT',
  types: ['Prescription'],
  period: { from: days(-30), to: days(-1) },
  eraseAt: days(30),
  frequency: { unit: 'HOUR', value: 1, repeats: 1 },
  usedAt: [],
  acknowledged: true,
} satisfies ConsentFact
const QUESTION: Question = {
  patient: 'asha.rao@sbx',
  recipient: 'hiu',
  holder: 'hip',
  purpose: 'CAREMGT',
  types: ['Prescription'],
  period: { from: days(-20), to: days(-10) },
  actor: { kind: 'facility', id: 'hiu' as never },
  channel: 'abdm',
  mode: 'request',
  now: NOW,
}

const REFUSAL = { id: 'refusal', patient: GRANTED.patient, holder: GRANTED.holder }

function statesTable(): string {
  const state = (name: string, fact: object, standing: Partial<Facts> = {}) => {
    const consent = { ...GRANTED, ...fact } as ConsentFact
    const facts: Facts = { recipient: 'active', holder: 'active', consents: [consent], refusals: [] }
    const { outcome, explain } = decide(QUESTION, { ...facts, ...standing })
    return [name, outcome, explain.map(({ rule }) => `\`${rule}\``).join(', ')]
  }
  return table(
    ['the consent', 'answer', 'by the rules'],
    [
      state('granted, acknowledged by the provider', {}),
      state('granted, not acknowledged yet', { acknowledged: false }),
      state('revoked', { status: 'REVOKED' }),
      state('expired', { status: 'EXPIRED' }),
      state('its day of erasure is over, whatever its status says', { eraseAt: days(-1) }),
      state('its frequency is used up', { usedAt: [NOW] }),
      state('cannot be read', { readable: false }),
      state('of another patient', { patient: 'ravi.k@sbx' }),
      state('for another recipient', { recipient: 'other' }),
      state('of another provider', { holder: 'other' }),
      state('for another purpose', { purpose: 'HPAYMT' }),
      state('of another kind of record', { types: ['Invoice'] }),
      state('covers a part of the days', { period: { from: days(-15), to: days(-1) } }),
      state('covers none of the days', { period: { from: days(-300), to: days(-200) } }),
      state('granted, the recipient is suspended', {}, { recipient: 'suspended' }),
      state('granted, the provider is suspended', {}, { holder: 'suspended' }),
      state('granted, but she refused this provider', {}, { refusals: [REFUSAL] }),
    ],
  )
}

/** By its name: what a route of the desk asks of a role, and whether it asks for a fresh proof. */
export function demandsOf(): ReadonlyMap<string, string> {
  const { everywhere, exchange, facility } = routeTables({ sandbox: true })
  const routes: readonly Route[] = [...exchange, ...facility, ...everywhere]
  return new Map(
    routes.flatMap(({ method, path, act, stepUp, grave }) => {
      const roles = act === undefined ? [] : STAFF_ROLES.filter((role) => mayDo(role, act))
      const demands = [
        ...(act === undefined ? [] : [`\`${act}\`: ${roles.join(', ')}`]),
        ...(stepUp === undefined ? [] : [`fresh proof \`${stepUp.act}\``]),
        ...(grave === undefined ? [] : ['**by name, with a fresh code** (`X-Operator-Code`)']),
      ]
      return demands.length === 0 ? [] : [[`${method} ${path}`, demands.join('; ')] as const]
    }),
  )
}
