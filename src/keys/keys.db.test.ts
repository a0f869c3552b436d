import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import fc from 'fast-check'
import { openTestDatabase, type TestDatabase } from '../../test/database.ts'
import { makeMemoryShares } from '../../test/keyring.ts'
import { makeTestMachine } from '../../test/machine.ts'
import { fileKeyId, openWith, type Place, sealWith, wrapByKey } from '../crypto/envelope.ts'
import { type Machine, transact } from '../db/tx.ts'
import { bucketOf } from '../kernel/bucket.ts'
import { isRefusal } from '../kernel/refusal.ts'
import { codeSecretKeys } from '../people/code-secret-keys.ts'
import { openSecret, sealSecret } from '../people/sealed-secret.ts'
import { eraseDataKey, existingPatientKey, patientKey } from '../vault/data-keys.ts'
import { makeFileProvider } from '../vault/file-provider.ts'
import { type Keyring, makeKeyring } from '../vault/key-wrap.ts'
import { dataKeyStore, wrapIdsInUse } from '../vault/rewrap.ts'
import { destroyVersion, type KeysNeeds, keysStatus, rewrapBatch, rotateKeys } from './commands.ts'

const OPERATOR = { kind: 'operator', id: 'operator' } as const
const random = (bytes: number): Uint8Array => new Uint8Array(randomBytes(bytes))
let database: TestDatabase
describe('keys/keys', () => {
  before(async () => void (database = await openTestDatabase()))
  after(() => database.close())

  type Party = { readonly machine: Machine; readonly needs: KeysNeeds }

  /** A party with keys in a file that survives {@link Disk.start}: what was saved is what a new start reads. */
  function makeDisk() {
    const first = random(32)
    let saved: readonly Uint8Array[] = [first]
    const shares = makeMemoryShares(random)
    const start = (): Party => {
      const provider = makeFileProvider({ keys: saved, save: (keys) => void (saved = keys), random })
      // Another object at each start, as a new process has: numbers that were taken and not used are lost.
      const keyring: Keyring = makeKeyring({ provider, previous: [], shares: { ...shares }, nowMs: () => 0 })
      const stores = [dataKeyStore(), codeSecretKeys('staff')]
      return { machine: { ...makeTestMachine(database), keyWrap: keyring }, needs: { keyring, stores } }
    }
    return { first, start, versions: () => saved.length }
  }

  const place = (patient: string): Place => ({ table: 'document', column: 'sealed', row: 'r-1', patient })
  const seal = ({ machine }: Party, patient: string): Promise<Uint8Array> =>
    transact(machine, async (tx) => sealWith(await patientKey(tx, patient), `of ${patient}`, place(patient), random))

  async function opens({ machine }: Party, patient: string, sealed: Uint8Array): Promise<boolean> {
    const key = await transact(machine, (tx) => existingPatientKey(tx, patient))
    return key !== undefined && !isRefusal(openWith(key, sealed, place(patient)))
  }

  async function empty(): Promise<void> {
    await database.pool.query('delete from data_key; delete from audit_event; delete from staff')
  }

  async function recorded(): Promise<readonly string[]> {
    const { rows } = await database.pool.query<{ type: string }>(
      `select type from audit_event where type like 'keys.%' order by type`,
    )
    return rows.map(({ type }) => type)
  }

  const rewrapAll = async ({ machine, needs }: Party): Promise<void> => {
    while ((await rewrapBatch(machine, needs)) > 0) continue
  }

  test('the version that wraps new keys is not destroyed, even when it has wrapped none yet', async () => {
    await empty()
    const { machine, needs } = makeDisk().start()
    const wrapId = await needs.keyring.current()
    const done = await transact(machine, (tx) => destroyVersion(tx, needs, { wrapId, actor: OPERATOR }))
    assert.ok(isRefusal(done) && done.code === 'keys/version-in-use' && /rotate first/.test(done.detail))
  })

  test('rotation wraps every data key anew, touches no data, and is in the log; an unused version can be destroyed', async () => {
    await empty()
    const disk = makeDisk()
    const party = disk.start()
    const { machine, needs } = party
    const sealed = new Map<string, Uint8Array>()
    for (let i = 0; i < 30; i++) sealed.set(`p${i}@sbx`, await seal(party, `p${i}@sbx`))
    const older = fileKeyId(disk.first)
    const made = await transact(machine, (tx) => rotateKeys(tx, needs, OPERATOR))
    assert.ok(!isRefusal(made))
    sealed.set('new@sbx', await seal(party, 'new@sbx'))
    const waiting = await transact(machine, (tx) => keysStatus(tx, needs))
    assert.deepEqual(waiting, {
      provider: 'file',
      current: made.wrapId,
      versions: [
        { wrapId: made.wrapId, keys: 1, isCurrent: true },
        { wrapId: older, keys: 30, isCurrent: false },
      ],
      waiting: 30,
    })
    const tooEarly = await transact(machine, (tx) => destroyVersion(tx, needs, { wrapId: older, actor: OPERATOR }))
    assert.ok(isRefusal(tooEarly) && tooEarly.code === 'keys/version-in-use')
    await rewrapAll(party)
    const done = await transact(machine, (tx) => keysStatus(tx, needs))
    assert.equal(done.waiting, 0)
    const left = { wrapId: older, keys: 0, isCurrent: false }
    assert.deepEqual(done.versions[1], left, 'what can be destroyed now has a name')
    const current = await transact(machine, (tx) => destroyVersion(tx, needs, { wrapId: made.wrapId, actor: OPERATOR }))
    assert.ok(isRefusal(current) && current.code === 'keys/version-in-use')
    assert.equal(await transact(machine, (tx) => destroyVersion(tx, needs, { wrapId: older, actor: OPERATOR })), true)
    const unknown = await transact(machine, (tx) => destroyVersion(tx, needs, { wrapId: older, actor: OPERATOR }))
    assert.ok(isRefusal(unknown) && unknown.code === 'keys/unknown-version')
    assert.equal(disk.versions(), 1)
    const again = disk.start()
    for (const [patient, each] of sealed) assert.ok(await opens(again, patient, each), patient)
    assert.deepEqual(await recorded(), ['keys.rewrapped', 'keys.rotated', 'keys.version-destroyed'])
  })

  test('killed in the middle of wrapping anew: nothing is lost, and the next start goes on', async () => {
    await empty()
    const disk = makeDisk()
    const party = disk.start()
    const sealed = await Promise.all(['a@sbx', 'b@sbx', 'c@sbx'].map((patient) => seal(party, patient)))
    await transact(party.machine, (tx) => rotateKeys(tx, party.needs, OPERATOR))
    // The program dies when it has saved one row of the batch, before the commit.
    const [data] = party.needs.stores
    assert.ok(data)
    const dying: KeysNeeds = {
      ...party.needs,
      stores: [
        {
          ...data,
          rewrapSome: async (...of) => {
            const [first] = await data.rewrapSome(...of)
            assert.ok(first)
            return [first, () => Promise.reject(new Error('killed'))]
          },
        },
      ],
    }
    await assert.rejects(rewrapBatch(party.machine, dying), /killed/)
    assert.equal((await transact(party.machine, (tx) => keysStatus(tx, party.needs))).waiting, 3)
    const next = disk.start()
    await rewrapAll(next)
    assert.equal((await transact(next.machine, (tx) => keysStatus(tx, next.needs))).waiting, 0)
    for (const [i, patient] of ['a@sbx', 'b@sbx', 'c@sbx'].entries()) {
      const each = sealed[i]
      assert.ok(each && (await opens(next, patient, each)))
    }
  })

  test('keys of the first version, without name and share, open, and get both', async () => {
    await empty()
    const disk = makeDisk()
    const party = disk.start()
    const key = random(32)
    const patient = 'old@sbx'
    await database.db
      .insertInto('data_key')
      .values({
        bucket: bucketOf(patient),
        patient,
        scope: 'patient',
        wrapped: wrapByKey(disk.first, key, random),
        key_wrap_id: fileKeyId(disk.first),
        created_at: new Date(),
        erased_at: null,
        share: null,
      })
      .execute()
    const sealed = sealWith(key, 'of old', place(patient), random)
    assert.ok(await opens(party, patient, sealed))
    await rewrapAll(party)
    const again = disk.start()
    assert.ok(await opens(again, patient, sealed))
    const row = await database.db
      .selectFrom('data_key')
      .select('share')
      .where('bucket', '=', bucketOf(patient))
      .where('patient', '=', patient)
      .executeTakeFirstOrThrow()
    assert.notEqual(row.share, null)
  })

  test('an erasure that comes between wrapping anew and saving stays an erasure', async () => {
    await empty()
    const disk = makeDisk()
    const party = disk.start()
    const sealed = await seal(party, 'a@sbx')
    await transact(party.machine, (tx) => rotateKeys(tx, party.needs, OPERATOR))
    const [data] = party.needs.stores
    assert.ok(data)
    const saves = await data.rewrapSome(party.machine, party.needs.keyring, await party.needs.keyring.current())
    await transact(party.machine, (tx) => eraseDataKey(tx, 'a@sbx', 'patient'))
    assert.deepEqual(await transact(party.machine, (tx) => Promise.all(saves.map((save) => save(tx)))), [false])
    assert.equal(await opens(party, 'a@sbx', sealed), false)
    assert.deepEqual(await transact(party.machine, wrapIdsInUse), [])
  })

  test('secrets of staff are wrapped anew too', async () => {
    await empty()
    const party = makeDisk().start()
    const id = '22222222-2222-4222-8222-222222222222'
    const { key, sealed } = await transact(party.machine, (tx) => sealSecret(tx, id, Buffer.from('JBSWY3DP')))
    await database.db
      .insertInto('staff')
      .values({
        id,
        login: 'meera',
        name: 'Meera',
        role: 'doctor',
        status: 'active',
        code_key: Buffer.from(key),
        sealed_code_secret: Buffer.from(sealed),
        code_step_used: 0,
        added_at: new Date(),
        changed_at: new Date(),
        tie: '',
      })
      .execute()
    await transact(party.machine, (tx) => rotateKeys(tx, party.needs, OPERATOR))
    await rewrapAll(party)
    const row = await database.db.selectFrom('staff').selectAll().where('id', '=', id).executeTakeFirstOrThrow()
    assert.ok(row.code_key !== null && row.sealed_code_secret !== null)
    assert.notDeepEqual(row.code_key, Buffer.from(key))
    const secret = { key: row.code_key, sealed: row.sealed_code_secret }
    assert.equal(Buffer.from(await transact(party.machine, (tx) => openSecret(tx, id, secret))).toString(), 'JBSWY3DP')
    assert.equal((await transact(party.machine, (tx) => keysStatus(tx, party.needs))).waiting, 0)
  })

  test('law: however sealing, erasing, rotating, destroying and restarting interleave, what is erased never opens and the rest always does', async () => {
    const patient = fc.constantFrom('a@sbx', 'b@sbx', 'c@sbx')
    const step = fc.oneof(
      fc.record({ do: fc.constant('seal' as const), patient }),
      fc.record({ do: fc.constant('erase' as const), patient }),
      fc.record({ do: fc.constantFrom('rotate' as const, 'rewrap' as const, 'destroy' as const, 'restart' as const) }),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 25 }), async (steps) => {
        await empty()
        const disk = makeDisk()
        let party = disk.start()
        const alive: [string, Uint8Array][] = []
        const dead: [string, Uint8Array][] = []
        for (const each of steps) {
          const { machine, needs } = party
          if (each.do === 'seal') alive.push([each.patient, await seal(party, each.patient)])
          else if (each.do === 'erase') {
            await transact(machine, (tx) => eraseDataKey(tx, each.patient, 'patient'))
            const ended = alive.filter(([of]) => of === each.patient)
            dead.push(...ended)
            alive.splice(0, alive.length, ...alive.filter(([of]) => of !== each.patient))
          } else if (each.do === 'rotate') await transact(machine, (tx) => rotateKeys(tx, needs, OPERATOR))
          else if (each.do === 'rewrap') await rewrapBatch(machine, needs)
          else if (each.do === 'destroy') {
            const { versions } = await transact(machine, (tx) => keysStatus(tx, needs))
            for (const { wrapId } of versions)
              await transact(machine, (tx) => destroyVersion(tx, needs, { wrapId, actor: OPERATOR }))
          } else party = disk.start()
          for (const [of, sealed] of alive) assert.ok(await opens(party, of, sealed), `${of} does not open`)
          for (const [of, sealed] of dead) assert.ok(!(await opens(party, of, sealed)), `${of} opens after its erasure`)
        }
      }),
      { numRuns: 12 },
    )
  })
})
