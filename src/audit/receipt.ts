import { type Refusal, refuse } from '../kernel/refusal.ts'

/** A receipt: everything that is needed to check, without asking anybody, that this event is in that log. */
export type Receipt = {
  readonly amanat: 'receipt/v1'
  /** Id of the event. */
  readonly id: string
  /** When it was recorded, ISO 8601 in UTC. */
  readonly at: string
  readonly event: Readonly<Record<string, unknown>>
  /** Base64, 32 bytes. */
  readonly salt: string
  /** C2SP tlog-proof with the checkpoint and the cosignatures it had. */
  readonly proof: string
  readonly log: { readonly origin: string; readonly vkey: string }
  /** The witnesses that the log asks; whom to believe is the reader's choice. */
  readonly witnesses: readonly { readonly name: string; readonly vkey: string }[]
  /** Whether the checkpoint satisfies the policy of the log's owner, in the owner's words; the reader judges by a policy of her own. */
  readonly standing?: Standing
}

/** `waiting`: not yet cosigned as the quorum asks; the same receipt asked for later may be final. */
export type Standing = {
  readonly state: 'final' | 'waiting'
  readonly cosigned: readonly string[]
  /** In words: "2 of exchange, university, ministry". */
  readonly quorum: string
}

type Json = Readonly<Record<string, unknown>>
/** What is wrong with a value, and where; undefined when nothing is. Written by hand: browsers check receipts too, without zod. */
type Fault = { readonly field: string; readonly must: string } | undefined

const WITNESSES_MAX = 32
const MEMBERS = ['amanat', 'id', 'at', 'event', 'salt', 'proof', 'log', 'witnesses', 'standing'] as const

/** Reads a receipt's shape; nothing is verified yet. */
export function parseReceipt(json: string): Receipt | Refusal {
  let value: unknown
  try {
    value = JSON.parse(json)
  } catch {
    return refuse('log/receipt-malformed', 'The receipt is not valid JSON.')
  }
  const fault = faultOf(value)
  if (fault === undefined) return value as Receipt
  return refuse('log/receipt-malformed', `The receipt is malformed: ${fault.field} ${fault.must}.`, fault.field)
}

function faultOf(value: unknown): Fault {
  if (!isObject(value)) return { field: 'receipt', must: 'must be an object' }
  const unknown = Object.keys(value).find((name) => !MEMBERS.some((member) => member === name))
  if (unknown !== undefined) return { field: unknown.slice(0, 40), must: 'is not a member of a receipt' }
  if (value['amanat'] !== 'receipt/v1') return { field: 'amanat', must: 'must be "receipt/v1"' }
  for (const field of ['id', 'at', 'salt', 'proof'] as const)
    if (typeof value[field] !== 'string') return { field, must: 'must be a text' }
  if (!isObject(value['event'])) return { field: 'event', must: 'must be an object' }
  return (
    faultOfTexts('log', value['log'], ['origin', 'vkey']) ??
    faultOfWitnesses(value['witnesses']) ??
    faultOfStanding(value['standing'])
  )
}

function faultOfWitnesses(value: unknown): Fault {
  if (!Array.isArray(value) || value.length > WITNESSES_MAX)
    return { field: 'witnesses', must: `must be a list of at most ${WITNESSES_MAX}` }
  return (value as unknown[])
    .map((witness, i) => faultOfTexts(`witnesses.${i}`, witness, ['name', 'vkey']))
    .find((fault) => fault !== undefined)
}

function faultOfStanding(value: unknown): Fault {
  if (value === undefined) return undefined
  const isFit =
    isObject(value) &&
    Object.keys(value).length === 3 &&
    (value['state'] === 'final' || value['state'] === 'waiting') &&
    typeof value['quorum'] === 'string' &&
    Array.isArray(value['cosigned']) &&
    value['cosigned'].length <= WITNESSES_MAX &&
    value['cosigned'].every((name) => typeof name === 'string')
  return isFit ? undefined : { field: 'standing', must: 'must say state, cosigned and quorum' }
}

/** Exactly these members, each a text that is not empty. */
function faultOfTexts(field: string, value: unknown, members: readonly string[]): Fault {
  const isFit =
    isObject(value) &&
    Object.keys(value).length === members.length &&
    members.every((member) => typeof value[member] === 'string' && value[member] !== '')
  return isFit ? undefined : { field, must: `must have the texts ${members.join(' and ')}, and nothing else` }
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
