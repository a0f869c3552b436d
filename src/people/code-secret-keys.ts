import { readWrapped } from '../crypto/envelope.ts'
import { type Tx, transact } from '../db/tx.ts'
import { LIMITS } from '../kernel/limits.ts'
import { eachAtOnce, type WrappedStore } from '../vault/rewrap.ts'

type Table = 'staff' | 'staff_invitation' | 'staff_code_setup' | 'party_operator'

/** Keys of the first version do not say which key of the file wrapped them. */
const FIRST_VERSION = 'file-first-version'
const wrapIdOf = (blob: Uint8Array): string => readWrapped(blob).wrapId ?? FIRST_VERSION

const keysOf = async (tx: Tx, table: Table): Promise<readonly Buffer[]> => {
  const rows = await tx.db.selectFrom(table).select('code_key').where('code_key', 'is not', null).execute()
  return rows.flatMap(({ code_key }) => (code_key === null ? [] : [code_key]))
}

/** The wrapped keys of the secrets of authenticator apps, of staff and of operators, for the rotation of the wrapping key. */
export function codeSecretKeys(table: Table): WrappedStore {
  const count: WrappedStore['count'] = async (tx) => {
    const counts = new Map<string, number>()
    for (const blob of await keysOf(tx, table)) counts.set(wrapIdOf(blob), (counts.get(wrapIdOf(blob)) ?? 0) + 1)
    return [...counts].map(([wrapId, keys]) => ({ wrapId, keys }))
  }
  return {
    count,
    wrapIds: async (tx) => (await count(tx)).map(({ wrapId }) => wrapId),
    rewrapSome: async (machine, keyring, current) => {
      const stale = (await transact(machine, (tx) => keysOf(tx, table))).filter((blob) => wrapIdOf(blob) !== current)
      return eachAtOnce(stale.slice(0, LIMITS.rewrapBatchMax), async (blob) => {
        const wrapped = await keyring.rewrap(blob)
        return async (tx) => {
          const { numUpdatedRows } = await tx.db
            .updateTable(table)
            .set({ code_key: wrapped.blob })
            .where('code_key', '=', blob)
            .executeTakeFirst()
          return numUpdatedRows === 1n
        }
      })
    },
  }
}
