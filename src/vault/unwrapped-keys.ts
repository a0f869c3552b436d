import { LIMITS } from '../kernel/limits.ts'

export type Unwrap = (blob: Uint8Array) => Promise<Uint8Array>
type Limits = { readonly keysMax: number; readonly keptMs: number }

/**
 * Keeps what was unwrapped for a while, by the wrapped bytes, so that a key service is not asked at each transaction. What is kept opens
 * nothing without its share, and who asks has just read the wrapped bytes from their row: those of an erased key are gone.
 */
export function rememberUnwrapped(
  unwrap: Unwrap,
  nowMs: () => number,
  limits: Limits = { keysMax: LIMITS.unwrappedKeysMax, keptMs: LIMITS.unwrappedKeyMs },
): Unwrap {
  // In the order in which they were put in: the first is the oldest.
  const kept = new Map<string, { readonly key: Promise<Uint8Array>; readonly untilMs: number }>()
  const forgetOld = (): void => {
    for (const [name, { untilMs }] of kept) {
      if (untilMs > nowMs() && kept.size <= limits.keysMax) return
      kept.delete(name)
    }
  }
  return async (blob) => {
    forgetOld()
    const name = Buffer.from(blob).toString('base64')
    const known = kept.get(name)
    if (known !== undefined) return known.key
    const key = unwrap(blob)
    kept.set(name, { key, untilMs: nowMs() + limits.keptMs })
    try {
      return await key
    } catch (error) {
      kept.delete(name)
      throw error
    } finally {
      forgetOld()
    }
  }
}
