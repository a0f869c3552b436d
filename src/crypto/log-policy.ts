import { isRefusal, type Refusal, refuse } from '../kernel/refusal.ts'
import type { SignedCheckpoint } from './checkpoint.ts'
import { verifierOf } from './cosignature.ts'
import { NOTE_COSIGNATURE, NOTE_ED25519, openNote, parseVkey, type Verifier } from './signed-note.ts'

/** What C2SP tlog-policy asks programs to take at least. */
const LINES_OF_A_KIND_MAX = 64
const POLICY_CHARS_MAX = 65_536

export type PolicyLog = { readonly origin: string; readonly vkey: string; readonly url?: string }
export type PolicyWitness = { readonly name: string; readonly vkey: string; readonly url?: string }
type Group = { readonly name: string; readonly threshold: number; readonly members: readonly string[] }

/** Which logs are known, which witnesses, and how many of these make a checkpoint count (C2SP tlog-policy). */
export type LogPolicy = {
  readonly logs: readonly PolicyLog[]
  readonly witnesses: readonly PolicyWitness[]
  readonly groups: readonly Group[]
  /** Name of a witness or group; `none` asks for no cosignature. */
  readonly quorum: string
}

/** Reads a policy file. Refuses what is malformed with the number of the line. */
export function parsePolicy(text: string): LogPolicy | Refusal {
  if (text.length > POLICY_CHARS_MAX) return malformed(0, `a policy has at most ${POLICY_CHARS_MAX} characters`)
  const reading = new Reading()
  for (const [at, line] of text.split('\n').entries()) {
    if (/[\p{Cc}--\t]/v.test(line)) return malformed(at + 1, 'only tabs and newlines may stand among the characters')
    const words = line.split(/[ \t]+/).filter((word) => word !== '')
    if (words.length === 0 || words[0]?.startsWith('#')) continue
    const fault = reading.take(words)
    if (fault !== undefined) return malformed(at + 1, fault)
  }
  return reading.end()
}

/** The lines so far. Names are defined before they are used, each is a member at most once, each key stands there once. */
class Reading {
  readonly #logs: PolicyLog[] = []
  readonly #witnesses: PolicyWitness[] = []
  readonly #groups: Group[] = []
  readonly #names = new Set<string>()
  readonly #members = new Set<string>()
  readonly #keys = { log: new Set<string>(), witness: new Set<string>() }
  #quorum: string | undefined

  take([kind, ...words]: readonly string[]): string | undefined {
    if (kind === 'log') return this.#log(words)
    if (kind === 'witness') return this.#witness(words)
    if (kind === 'group') return this.#group(words)
    if (kind === 'quorum') return this.#setQuorum(words)
    return 'a line begins with log, witness, group or quorum'
  }

  end(): LogPolicy | Refusal {
    if (this.#quorum === undefined) return refuse('log/policy-malformed', 'A policy has one line "quorum <name>".')
    return { logs: this.#logs, witnesses: this.#witnesses, groups: this.#groups, quorum: this.#quorum }
  }

  #log([vkey, url, ...more]: readonly string[]): string | undefined {
    if (vkey === undefined || more.length > 0) return 'write "log <vkey> [<url>]"'
    if (this.#logs.length >= LINES_OF_A_KIND_MAX) return `a policy has at most ${LINES_OF_A_KIND_MAX} logs`
    const fault = this.#key('log', vkey, NOTE_ED25519)
    if (fault !== undefined) return fault
    const origin = vkey.slice(0, vkey.indexOf('+'))
    if (this.#logs.some((log) => log.origin === origin)) return `the log ${origin} stands there twice`
    this.#logs.push({ origin, vkey, ...(url === undefined ? {} : { url }) })
    return undefined
  }

  #witness([name, vkey, url, ...more]: readonly string[]): string | undefined {
    if (name === undefined || vkey === undefined || more.length > 0) return 'write "witness <name> <vkey> [<url>]"'
    if (this.#witnesses.length >= LINES_OF_A_KIND_MAX) return `a policy has at most ${LINES_OF_A_KIND_MAX} witnesses`
    const fault = this.#name(name) ?? this.#key('witness', vkey, NOTE_COSIGNATURE)
    if (fault !== undefined) return fault
    this.#witnesses.push({ name, vkey, ...(url === undefined ? {} : { url }) })
    return undefined
  }

  #group([name, rule, ...members]: readonly string[]): string | undefined {
    if (name === undefined || rule === undefined || members.length === 0)
      return 'write "group <name> all|any|<k> <name>…"'
    if (this.#groups.length >= LINES_OF_A_KIND_MAX) return `a policy has at most ${LINES_OF_A_KIND_MAX} groups`
    for (const member of members) {
      if (!this.#names.has(member)) return `${member} is no witness or group of a line before`
      if (this.#members.has(member)) return `${member} is a member already`
      this.#members.add(member)
    }
    const threshold = thresholdOf(rule, members.length)
    if (threshold === undefined) return `the rule of a group is all, any or a number from 1 to ${members.length}`
    const fault = this.#name(name)
    if (fault !== undefined) return fault
    this.#groups.push({ name, threshold, members })
    return undefined
  }

  #setQuorum([name, ...more]: readonly string[]): string | undefined {
    if (name === undefined || more.length > 0) return 'write "quorum <name>"'
    if (this.#quorum !== undefined) return 'there is a quorum already'
    if (name !== 'none' && !this.#names.has(name)) return `${name} is no witness or group of a line before`
    this.#quorum = name
    return undefined
  }

  #name(name: string): string | undefined {
    if (name === 'none') return '"none" is no name for a witness or a group'
    if (this.#names.has(name)) return `${name} stands there twice`
    this.#names.add(name)
    return undefined
  }

  #key(kind: 'log' | 'witness', vkey: string, type: number): string | undefined {
    const key = parseVkey(vkey)
    if (isRefusal(key)) return key.detail
    if (key.type !== type) return `the key of a ${kind} is of type ${type}, this one is of type ${key.type}`
    const bytes = key.publicKey.join()
    if (this.#keys[kind].has(bytes)) return `the key of this ${kind} stands there twice`
    this.#keys[kind].add(bytes)
    return undefined
  }
}

function thresholdOf(rule: string, members: number): number | undefined {
  if (rule === 'all') return members
  if (rule === 'any') return 1
  const k = /^[1-9][0-9]{0,2}$/.test(rule) ? Number(rule) : undefined
  return k !== undefined && k <= members ? k : undefined
}

/** How a checkpoint stands before a policy. `missing`: names of witnesses of the policy that have not cosigned it. */
export type Verdict = {
  readonly satisfied: boolean
  readonly cosigned: readonly string[]
  readonly missing: readonly string[]
}

/**
 * Whether a checkpoint counts: signed by a log of the policy (`log: true`, or by the key that the caller names for a policy without
 * logs), and cosigned by a quorum. A bad signature of a known key is a refusal.
 */
export function judgeCheckpoint(policy: LogPolicy, signed: SignedCheckpoint, logVkey?: string): Verdict | Refusal {
  const vkey = policy.logs.find(({ origin }) => origin === signed.checkpoint.origin)?.vkey
  const known = policy.logs.length === 0 ? logVkey : vkey
  if (known === undefined)
    return refuse('log/policy-unmet', `The policy does not know the log ${signed.checkpoint.origin}.`)
  if (logVkey !== undefined && logVkey !== known)
    return refuse('log/policy-unmet', `The policy names another key for the log ${signed.checkpoint.origin}.`)
  const log = verifierOf(known)
  if (isRefusal(log)) return log
  if (log.name !== signed.checkpoint.origin)
    return refuse('log/policy-unmet', `The key is of ${log.name}, the checkpoint of ${signed.checkpoint.origin}.`)
  const opened = openNote(signed.note, [log])
  if (isRefusal(opened)) return opened
  return judgeCosignatures(policy, signed)
}

function judgeCosignatures(policy: LogPolicy, signed: SignedCheckpoint): Verdict | Refusal {
  const verifiers = new Map<string, Verifier>()
  for (const { name, vkey } of policy.witnesses) {
    const verifier = verifierOf(vkey)
    if (isRefusal(verifier)) return verifier
    verifiers.set(name, verifier)
  }
  const cosigned: string[] = []
  for (const [name, verifier] of verifiers) {
    const line = signed.note.signatures.some((each) => each.name === verifier.name && each.keyId === verifier.keyId)
    if (!line) continue
    const opened = openNote(signed.note, [verifier])
    if (isRefusal(opened)) return opened
    cosigned.push(name)
  }
  const missing = policy.witnesses.map(({ name }) => name).filter((name) => !cosigned.includes(name))
  return { satisfied: isQuorum(policy, cosigned), cosigned, missing }
}

/** Whether these witnesses make a quorum of the policy. */
export function isQuorum(policy: LogPolicy, cosigned: readonly string[]): boolean {
  if (policy.quorum === 'none') return true
  // A group names only what stands before it, so one pass in order settles all of them.
  const witnessed = new Set(cosigned)
  for (const { name, threshold, members } of policy.groups)
    if (members.filter((member) => witnessed.has(member)).length >= threshold) witnessed.add(name)
  return witnessed.has(policy.quorum)
}

/** The quorum in a few words: "2 of exchange, hospital, university". */
export function describeQuorum(policy: LogPolicy, name = policy.quorum): string {
  if (name === 'none') return 'no witness'
  const group = policy.groups.find((each) => each.name === name)
  if (group === undefined) return name
  const members = group.members.map((member) =>
    policy.groups.some((each) => each.name === member) ? `(${describeQuorum(policy, member)})` : member,
  )
  return `${group.threshold === members.length ? 'all' : group.threshold} of ${members.join(', ')}`
}

/** A policy that asks for nothing but a list of witnesses that one knows: what a party without a `log.policy` has. */
export function policyOfWitnesses(logs: readonly PolicyLog[], witnesses: readonly PolicyWitness[]): LogPolicy {
  return { logs, witnesses, groups: [], quorum: 'none' }
}

function malformed(line: number, why: string): Refusal {
  return refuse('log/policy-malformed', `The policy cannot be read: line ${line}: ${why}.`)
}
