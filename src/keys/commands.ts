import { record } from '../audit/record.ts'
import { type Machine, type Tx, transact } from '../db/tx.ts'
import type { Actor } from '../kernel/caller.ts'
import { isRefusal, type Refusal, refuse } from '../kernel/refusal.ts'
import type { KeyProvider } from '../vault/key-provider.ts'
import type { Keyring } from '../vault/key-wrap.ts'
import type { WrappedStore } from '../vault/rewrap.ts'
import type { KeysEvent } from './keys.ts'

export type KeysNeeds = {
  readonly keyring: Keyring
  /** Every table that holds wrapped keys. */
  readonly stores: readonly WrappedStore[]
}

const CHORE: Actor = { kind: 'system', id: 'keys' }

export type KeysStatus = {
  readonly provider: KeyProvider['kind']
  readonly current: string
  readonly versions: readonly { readonly wrapId: string; readonly keys: number; readonly isCurrent: boolean }[]
  /** Keys that wait to be wrapped by the current version. */
  readonly waiting: number
}

/** Which versions wrap how many keys; one that wraps none any more is there until it is destroyed. */
export async function keysStatus(tx: Tx, { keyring, stores }: KeysNeeds): Promise<KeysStatus> {
  const current = await keyring.current()
  const counts = new Map<string, number>([[current, 0]])
  for (const store of stores)
    for (const { wrapId, keys } of await store.count(tx)) counts.set(wrapId, (counts.get(wrapId) ?? 0) + keys)
  for (const wrapId of await keyring.versions()) counts.set(wrapId, counts.get(wrapId) ?? 0)
  const versions = [...counts].map(([wrapId, keys]) => ({ wrapId, keys, isCurrent: wrapId === current }))
  const waiting = versions.filter(({ isCurrent }) => !isCurrent).reduce((sum, { keys }) => sum + keys, 0)
  return { provider: keyring.provider.kind, current, versions, waiting }
}

/**
 * Makes a new version of the wrapping key. New data keys are wrapped by it from now on; the others follow in the background.
 * `keys/rotated-elsewhere` where the key service's own tools do that.
 */
export async function rotateKeys(
  tx: Tx,
  { keyring }: KeysNeeds,
  actor: Actor,
): Promise<{ readonly wrapId: string } | Refusal> {
  const before = await keyring.current()
  const wrapId = await keyring.provider.rotate()
  if (isRefusal(wrapId)) return wrapId
  // Should this transaction fail, there is one version more than is in the log: it is used and rotated like any other.
  await record<KeysEvent>(tx, { type: 'keys.rotated', actor, provider: keyring.provider.kind, wrapId, before })
  return { wrapId }
}

/** Destroys a version that wraps nothing any more: older backups of the database open no more. */
export async function destroyVersion(
  tx: Tx,
  { keyring, stores }: KeysNeeds,
  input: { readonly wrapId: string; readonly actor: Actor },
): Promise<true | Refusal> {
  const { wrapId, actor } = input
  if (!keyring.owns(wrapId)) return refuse('keys/unknown-version', 'amanat keys status shows the versions.')
  if ((await keyring.current()) === wrapId)
    return refuse('keys/version-in-use', 'This version wraps new keys; rotate first.')
  for (const store of stores)
    if ((await store.wrapIds(tx)).includes(wrapId))
      return refuse(
        'keys/version-in-use',
        'Data keys are still wrapped by it; they are wrapped anew in the background.',
      )
  const done = await keyring.destroyVersion(wrapId)
  if (isRefusal(done)) return done
  await record<KeysEvent>(tx, { type: 'keys.version-destroyed', actor, provider: keyring.provider.kind, wrapId })
  return true
}

/**
 * Wraps one batch of keys anew, in one transaction: a program that is killed loses that batch and goes on with it at its next start.
 * Answers how many; 0 when all are wrapped by the current version.
 */
export async function rewrapBatch(machine: Machine, { keyring, stores }: KeysNeeds): Promise<number> {
  const current = await keyring.current()
  for (const store of stores) {
    const before = await transact(machine, store.wrapIds)
    const saves = await store.rewrapSome(machine, keyring, current)
    if (saves.length === 0) continue
    return transact(machine, async (tx) => {
      let saved = 0
      for (const save of saves) if (await save(tx)) saved++
      const left = await store.wrapIds(tx)
      for (const from of before.filter((wrapId) => wrapId !== current && !left.includes(wrapId)))
        await record<KeysEvent>(tx, { type: 'keys.rewrapped', actor: CHORE, from, to: current })
      return saved
    })
  }
  return 0
}

/** Notes that keys were found whose erasure the database had forgotten. */
export async function noteErasedAgain(machine: Machine, keys: number): Promise<void> {
  await transact(machine, (tx) => record<KeysEvent>(tx, { type: 'keys.erased-again', actor: CHORE, keys }))
}
