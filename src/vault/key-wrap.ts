import { type KeyShares, type KeyWrap, nameWrapped, readWrapped, type WrappedKey } from '../crypto/envelope.ts'
import type { Refusal } from '../kernel/refusal.ts'
import { KeyFault } from './key-file.ts'
import type { KeyProvider } from './key-provider.ts'
import { rememberUnwrapped } from './unwrapped-keys.ts'

/** The wrapping keys of a party: one provider wraps, that one and the previous ones unwrap. */
export type Keyring = KeyWrap & {
  readonly provider: KeyProvider
  readonly current: () => Promise<string>
  /** Wraps anew under the current version of the current provider. */
  readonly rewrap: (blob: Uint8Array) => Promise<WrappedKey>
  readonly owns: (wrapId: string) => boolean
  /** Names of all versions that could be destroyed from here once nothing needs them, the current one among them. */
  readonly versions: () => Promise<readonly string[]>
  /** Destroys a version, at whichever provider has it. */
  readonly destroyVersion: (wrapId: string) => Promise<true | Refusal>
}

/** Makes the keyring from the providers that the settings name; `previous` are those whose keys are still around. */
export function makeKeyring(needs: {
  readonly provider: KeyProvider
  readonly previous: readonly KeyProvider[]
  readonly shares: KeyShares
  readonly nowMs: () => number
}): Keyring {
  const { provider, shares } = needs
  const all = [provider, ...needs.previous]
  const ownerOf = (wrapId: string | undefined): KeyProvider => {
    const owner = all.find((each) => each.owns(wrapId))
    if (owner === undefined)
      throw new KeyFault(
        `a data key was wrapped by ${wrapId}, which no provider in the settings has. Name it under keys.previous, or put back the keys file that has it.`,
      )
    return owner
  }
  const unwrap = rememberUnwrapped(async (blob) => {
    const { wrapId, ciphertext } = readWrapped(blob)
    return ownerOf(wrapId).unwrap(wrapId, ciphertext)
  }, needs.nowMs)
  const wrap = async (secret: Uint8Array): Promise<WrappedKey> => {
    const { wrapId, ciphertext } = await provider.wrap(secret)
    return nameWrapped(wrapId, ciphertext)
  }
  return {
    provider,
    shares,
    unwrap,
    wrap,
    current: provider.current,
    destroyVersion: async (wrapId) => ownerOf(wrapId).destroyVersion(wrapId),
    versions: async () => (await Promise.all(all.map(async (each) => (await each.versions?.()) ?? []))).flat(),
    owns: (wrapId) => all.some((each) => each.owns(wrapId)),
    rewrap: async (blob) => {
      const { wrapId, ciphertext } = readWrapped(blob)
      if (wrapId === undefined || provider.rewrap === undefined || !provider.owns(wrapId))
        return wrap(await unwrap(blob))
      const made = await provider.rewrap(wrapId, ciphertext)
      return nameWrapped(made.wrapId, made.ciphertext)
    },
  }
}
