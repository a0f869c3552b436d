import type { Refusal } from '../kernel/refusal.ts'

/** What a key wrapped, and its name. */
export type Wrapping = { readonly wrapId: string; readonly ciphertext: Uint8Array }

/**
 * Where the key-encryption key of a party lives. A name (`wrapId`) stands for one version of one key. Every function throws `KeysAway`
 * when the service does not answer or refuses, and an ordinary error when what it answers cannot be right.
 */
export type KeyProvider = {
  readonly kind: 'file' | 'vault' | 'awsKms' | 'pkcs11'
  /** Whether it can unwrap what the key of this name wrapped; without a name: keys of the file that had none yet. */
  readonly owns: (wrapId: string | undefined) => boolean
  /** Name of the version that wraps now. */
  readonly current: () => Promise<string>
  readonly wrap: (secret: Uint8Array) => Promise<Wrapping>
  readonly unwrap: (wrapId: string | undefined, ciphertext: Uint8Array) => Promise<Uint8Array>
  /** Wraps anew under the current version, where the service can do so without showing the secret. */
  readonly rewrap?: (wrapId: string, ciphertext: Uint8Array) => Promise<Wrapping>
  /** Makes a new version, answers its name; or says who makes it. */
  readonly rotate: () => Promise<string | Refusal>
  /** Names of the versions that there are, where they are destroyed from here and not by the key service's own tools. */
  readonly versions?: () => Promise<readonly string[]>
  /** Destroys a version that nothing uses any more; or says who does. */
  readonly destroyVersion: (wrapId: string) => Promise<true | Refusal>
}
