import type { PartyConfig } from './config.ts'
import type { KeyPlace } from './config-keys.ts'
import type { Random } from './db/tx.ts'
import { makeOutbound } from './http/outbound.ts'
import type { KeysNeeds } from './keys/commands.ts'
import { codeSecretKeys } from './people/code-secret-keys.ts'
import { makeAwsKmsProvider } from './vault/aws-kms.ts'
import { openCryptoki } from './vault/cryptoki.ts'
import { makeFileProvider } from './vault/file-provider.ts'
import { type PartyKeys, saveKeyEncryptionKeys } from './vault/key-file.ts'
import type { KeyProvider } from './vault/key-provider.ts'
import { type Keyring, makeKeyring } from './vault/key-wrap.ts'
import { makePkcs11Provider } from './vault/pkcs11.ts'
import { dataKeyStore } from './vault/rewrap.ts'
import { openShares } from './vault/shares.ts'
import { makeVaultProvider } from './vault/vault-transit.ts'

/** Every table of a party that holds wrapped keys. */
export function keysNeeds(keyring: Keyring): KeysNeeds {
  return {
    keyring,
    stores: [
      dataKeyStore(),
      codeSecretKeys('staff'),
      codeSecretKeys('staff_invitation'),
      codeSecretKeys('staff_code_setup'),
      codeSecretKeys('party_operator'),
    ],
  }
}

/** The wrapping keys of a party, as its settings say, with the shares of its data keys. */
export type OpenKeyring = Keyring & { readonly close: () => Promise<void> }

/** Opens what wraps the data keys. Nothing is asked of a key service yet. */
export async function openKeyring(
  config: Pick<PartyConfig, 'keys' | 'keysFolder'>,
  keys: Pick<PartyKeys, 'keyEncryptionKeys'>,
  needs: { readonly random: Random; readonly now: () => Date },
): Promise<OpenKeyring> {
  const inFile = makeFileProvider({
    keys: keys.keyEncryptionKeys,
    save: (changed) => saveKeyEncryptionKeys(config.keysFolder, changed),
    random: needs.random,
  })
  const closers: (() => void | Promise<void>)[] = []
  const open = (place: KeyPlace): Promise<KeyProvider> => openProvider(place, inFile, needs, closers)
  const provider = await open(config.keys.wrap)
  const named = await Promise.all(config.keys.previous.map(open))
  const shares = openShares(config.keysFolder, needs.random)
  closers.push(shares.close)
  // The file is always at hand: a party that changed over to a key service has its older keys there.
  const previous = [...named, inFile].filter((each) => each !== provider)
  const keyring = makeKeyring({ provider, previous, shares, nowMs })
  const close = async (): Promise<void> => {
    for (const each of closers) await each()
  }
  return { ...keyring, close }
}

const nowMs = (): number => performance.now()

async function openProvider(
  { vault, awsKms, pkcs11 }: KeyPlace,
  inFile: KeyProvider,
  { random, now }: { readonly random: Random; readonly now: () => Date },
  closers: (() => void | Promise<void>)[],
): Promise<KeyProvider> {
  if (pkcs11 !== undefined) {
    const device = makePkcs11Provider({ cryptoki: await openCryptoki(pkcs11.library), settings: pkcs11, random })
    closers.push(device.close)
    return device
  }
  if (vault === undefined && awsKms === undefined) return inFile
  // A way out of its own: the operator named this one host, which may well be in the same building.
  const outbound = makeOutbound({ allowPrivateNetworks: true, nowMs })
  closers.push(outbound.close)
  if (vault !== undefined) return makeVaultProvider({ settings: vault, outbound, nowMs })
  return awsKms === undefined ? inFile : makeAwsKmsProvider({ settings: awsKms, outbound, now, nowMs })
}
