import type { PartyConfig } from './config.ts'
import type { KeyPlace } from './config-keys.ts'
import type { Random } from './db/tx.ts'
import type { KeysNeeds } from './keys/commands.ts'
import { staffSecretKeys } from './people/staff-secret-keys.ts'
import { makeFileProvider } from './vault/file-provider.ts'
import { type PartyKeys, saveKeyEncryptionKeys } from './vault/key-file.ts'
import type { KeyProvider } from './vault/key-provider.ts'
import { type Keyring, makeKeyring } from './vault/key-wrap.ts'
import { dataKeyStore } from './vault/rewrap.ts'
import { openShares } from './vault/shares.ts'

/** Every table of a party that holds wrapped keys. */
export function keysNeeds(keyring: Keyring): KeysNeeds {
  return {
    keyring,
    stores: [
      dataKeyStore(),
      staffSecretKeys('staff'),
      staffSecretKeys('staff_invitation'),
      staffSecretKeys('staff_code_setup'),
    ],
  }
}

/** The wrapping keys of a party, as its settings say, with the shares of its data keys. */
export type OpenKeyring = Keyring & { readonly close: () => Promise<void> }

/** Opens what wraps the data keys. Nothing is asked of a key service yet. */
export async function openKeyring(
  config: Pick<PartyConfig, 'keys' | 'keysFolder'>,
  keys: Pick<PartyKeys, 'keyEncryptionKeys'>,
  random: Random,
): Promise<OpenKeyring> {
  const inFile = makeFileProvider({
    keys: keys.keyEncryptionKeys,
    save: (changed) => saveKeyEncryptionKeys(config.keysFolder, changed),
    random,
  })
  const provider = await openProvider(config.keys.wrap, inFile)
  const named = await Promise.all(config.keys.previous.map((place) => openProvider(place, inFile)))
  const shares = openShares(config.keysFolder, random)
  // The file is always at hand: a party that changed over to a key service has its older keys there.
  const previous = [...named, inFile].filter((each) => each !== provider)
  const keyring = makeKeyring({ provider, previous, shares, nowMs: () => performance.now() })
  return { ...keyring, close: async () => shares.close() }
}

async function openProvider(_place: KeyPlace, inFile: KeyProvider): Promise<KeyProvider> {
  return inFile
}
