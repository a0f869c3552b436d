import type { KeyWrap } from '../crypto/envelope.ts'
import { LIMITS } from '../kernel/limits.ts'

type Limits = { readonly keysMax: number; readonly keptMs: number }

/**
 * Keeps what was unwrapped for a while, by the wrapped bytes, so that a key service is not asked at each transaction. Who asks has just
 * read those bytes from their row: those of an erased key are gone, and nobody asks for them again.
 */
export function rememberUnwrapped(
  wrap: KeyWrap,
  nowMs: () => number,
  limits: Limits = { keysMax: LIMITS.unwrappedKeysMax, keptMs: LIMITS.unwrappedKeyMs },
): KeyWrap {
  // In the order in which they were put in: the first is the oldest.
  const kept = new Map<string, { readonly key: Promise<Uint8Array>; readonly untilMs: number }>()
  const forgetOld = (): void => {
    for (const [name, { untilMs }] of kept) {
      if (untilMs > nowMs() && kept.size <= limits.keysMax) return
      kept.delete(name)
    }
  }
  return {
    get id() {
      return wrap.id
    },
    wrap: wrap.wrap,
    unwrap: async (blob) => {
      forgetOld()
      const name = Buffer.from(blob).toString('base64')
      const known = kept.get(name)
      if (known !== undefined) return known.key
      const key = wrap.unwrap(blob)
      kept.set(name, { key, untilMs: nowMs() + limits.keptMs })
      try {
        return await key
      } catch (error) {
        kept.delete(name)
        throw error
      } finally {
        forgetOld()
      }
    },
  }
}
