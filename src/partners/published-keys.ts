import type { Outbound } from '../http/outbound.ts'
import { LIMITS } from '../kernel/limits.ts'
import { isRefusal, type Refusal, refuse } from '../kernel/refusal.ts'
import { type PartnerKey, parseKeySet } from './key-set.ts'

/** Keys that partners publish (`jwks_uri`): fetched ahead of the transaction that needs them, kept for minutes, never followed elsewhere. */
export type PublishedKeys = {
  /** Fetches the keys of an address when they are old, or when none of them has this name; hurried at most once a minute. */
  readonly refresh: (address: string, kid: string) => Promise<void>
  /** The keys as they are known now; `machine/unavailable` when they could not be fetched for too long. */
  readonly keysAt: (address: string, now: Date) => readonly PartnerKey[] | Refusal
}

type Kept = {
  keys: readonly PartnerKey[]
  fetchedAtMs: number
  triedAtMs: number
  underWay?: Promise<void> | undefined
}

/** Addresses that are remembered: those of registered clients, so few; old ones fall out. */
const ADDRESSES_MAX = 1_000

export function makePublishedKeys(outbound: Outbound, now: () => Date): PublishedKeys {
  const kept = new Map<string, Kept>()
  const keptOf = (address: string): Kept => {
    const known = kept.get(address)
    if (known !== undefined) return known
    const oldest = kept.keys().next().value
    if (kept.size >= ADDRESSES_MAX && oldest !== undefined) kept.delete(oldest)
    const fresh: Kept = { keys: [], fetchedAtMs: Number.NEGATIVE_INFINITY, triedAtMs: Number.NEGATIVE_INFINITY }
    kept.set(address, fresh)
    return fresh
  }
  const fetchInto = async (address: string, entry: Kept): Promise<void> => {
    entry.triedAtMs = now().getTime()
    const keys = await fetchKeys(outbound, address)
    if (isRefusal(keys)) return
    entry.keys = keys
    entry.fetchedAtMs = now().getTime()
  }
  return {
    refresh: async (address, kid) => {
      const entry = keptOf(address)
      const atMs = now().getTime()
      const isFresh = atMs - entry.fetchedAtMs < LIMITS.jwksFreshMs
      if (isFresh && entry.keys.some((key) => key.kid === kid)) return
      const pauseMs = isFresh ? LIMITS.jwksUnknownKeyMs : LIMITS.jwksCoolDownMs
      if (atMs - entry.triedAtMs >= pauseMs)
        entry.underWay ??= fetchInto(address, entry).finally(() => (entry.underWay = undefined))
      await entry.underWay
    },
    keysAt: (address, at) => {
      const entry = kept.get(address)
      return entry === undefined || at.getTime() - entry.fetchedAtMs > LIMITS.jwksStaleMs
        ? refuse('machine/unavailable', 'The published keys of this client cannot be fetched at present.')
        : entry.keys
    },
  }
}

/** No redirects, little time, few bytes: whoever publishes keys can do that. */
async function fetchKeys(outbound: Outbound, address: string): Promise<readonly PartnerKey[] | Refusal> {
  const outcome = await outbound.call({
    method: 'GET',
    url: address,
    headers: { accept: 'application/jwk-set+json, application/json' },
    timeoutMs: LIMITS.jwksTimeoutMs,
    answerBytesMax: LIMITS.jwksBytesMax,
  })
  if (outcome.kind !== 'answered' || outcome.status !== 200) return refuse('machine/unavailable')
  try {
    return parseKeySet(JSON.parse(outcome.body.toString('utf8')))
  } catch {
    return refuse('partners/invalid-keys', 'The published key set is not JSON.')
  }
}
