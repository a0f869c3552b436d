import { fileKeyId, unwrapByKey, wrapByKey } from '../crypto/envelope.ts'
import type { Random } from '../db/tx.ts'
import { refuse } from '../kernel/refusal.ts'
import type { KeyProvider } from './key-provider.ts'

/** Key-encryption keys in `keys.json`: the first wraps, all unwrap. `save` keeps a changed list before it is used. */
export function makeFileProvider(needs: {
  readonly keys: readonly Uint8Array[]
  readonly save: (keys: readonly Uint8Array[]) => void
  readonly random: Random
}): KeyProvider {
  let keys = needs.keys
  const first = (): Uint8Array => {
    const [key] = keys
    if (key === undefined) throw new Error('there is no key-encryption key')
    return key
  }
  const change = (next: readonly Uint8Array[]): void => {
    needs.save(next)
    keys = next
  }
  return {
    kind: 'file',
    owns: (wrapId) => wrapId === undefined || keys.some((key) => fileKeyId(key) === wrapId),
    current: async () => fileKeyId(first()),
    wrap: async (secret) => ({ wrapId: fileKeyId(first()), ciphertext: wrapByKey(first(), secret, needs.random) }),
    unwrap: async (wrapId, ciphertext) => {
      for (const key of keys) {
        const secret = wrapId === undefined || fileKeyId(key) === wrapId ? unwrapByKey(key, ciphertext) : undefined
        if (secret !== undefined) return secret
      }
      throw new Error(
        `a data key does not unwrap with ${keys.map(fileKeyId).join(', ')}: wrong key file, or it was changed`,
      )
    },
    rotate: async () => {
      const key = needs.random(32)
      change([key, ...keys])
      return fileKeyId(key)
    },
    versions: async () => keys.map(fileKeyId),
    destroyVersion: async (wrapId) => {
      if (!keys.some((key) => fileKeyId(key) === wrapId)) return refuse('keys/unknown-version')
      change(keys.filter((key) => fileKeyId(key) !== wrapId))
      return true
    },
  }
}
