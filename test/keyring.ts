import assert from 'node:assert/strict'
import type { KeyShares } from '../src/crypto/envelope.ts'
import type { Random } from '../src/db/tx.ts'
import { makeFileProvider } from '../src/vault/file-provider.ts'
import { type Keyring, makeKeyring } from '../src/vault/key-wrap.ts'

/** Shares that lie in memory: made when they are first read, gone for good when destroyed. */
export function makeMemoryShares(random: Random): KeyShares {
  const shares = new Map<number, Uint8Array | undefined>()
  return {
    id: Buffer.from(random(16)).toString('hex'),
    reaches: () => true,
    grow: () => assert.fail('there are always enough'),
    read: (number) => {
      if (!shares.has(number)) shares.set(number, random(32))
      return shares.get(number)
    },
    destroy: (numbers) => numbers.forEach((number) => void shares.set(number, undefined)),
    flush: () => undefined,
  }
}

/** A keyring in memory, with a key of its own. */
export function makeTestKeyring(random: Random): Keyring {
  return makeKeyring({
    provider: makeFileProvider({ keys: [random(32)], save: () => undefined, random }),
    previous: [],
    shares: makeMemoryShares(random),
    nowMs: () => performance.now(),
  })
}
