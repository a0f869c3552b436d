import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import pino from 'pino'
import { openTestDatabase } from '../test/database.ts'
import { freePort } from '../test/network.ts'
import { waitFor } from '../test/wait.ts'
import { StartFault, startParty } from './app.ts'
import { parseConfig } from './config.ts'
import { transact } from './db/tx.ts'
import type { FacilityId } from './kernel/id.ts'
import { must } from './kernel/refusal.ts'
import {
  confirmFacility,
  facilitiesOfBridge,
  listFacilities,
  registerBridge,
  saveServices,
} from './partners/commands.ts'
import { KeyFault } from './vault/key-file.ts'

const log = pino({ level: 'silent' })
const folders: string[] = []
describe('app', () => {
  after(() => {
    for (const folder of folders) rmSync(folder, { recursive: true, force: true })
  })

  function keysFolder(): string {
    const folder = mkdtempSync(join(tmpdir(), 'amanat-app-'))
    folders.push(folder)
    return folder
  }

  const settings = (port: number, keys: string, sandbox = false): ReturnType<typeof parseConfig> =>
    parseConfig(
      {
        role: 'exchange',
        id: 'sbx',
        name: 'Test exchange',
        listen: { port },
        publicUrl: 'http://127.0.0.1:1',
        database: { url: 'postgresql://127.0.0.1/unused' },
        keysFolder: keys,
        log: { origin: 'exchange.test/log' },
        operatorToken: 'o'.repeat(32),
        textMessages: { kind: 'sandbox' },
        sandbox,
        contact: { name: 'Data protection officer', email: 'dpo@exchange.example' },
      },
      'test',
    )

  test('a taken port is one clear sentence, and nothing stays open', async () => {
    const database = await openTestDatabase()
    const other = createServer()
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
    const { port } = other.address() as AddressInfo
    await assert.rejects(
      startParty(settings(port, keysFolder()), database.connectionString, log),
      (error) =>
        error instanceof StartFault &&
        new RegExp(`cannot listen on 127.0.0.1:${port}: another program is using that port`).test(error.message),
    )
    await new Promise((resolve) => other.close(resolve))
    // The clone can be dropped only when every connection of the failed start is closed.
    await database.close()
  })

  test('a database is refused to other keys than the ones it was made with, before anything is written', async () => {
    const database = await openTestDatabase()
    const keys = keysFolder()
    const first = await startParty(settings(0, keys), database.connectionString, log)
    await first.stop()
    await assert.rejects(
      startParty(settings(0, keysFolder()), database.connectionString, log),
      (error) => error instanceof KeyFault && /Put back the right keys\.json/.test(error.message),
    )
    const restored = keysFolder()
    cpSync(keys, restored, { recursive: true })
    const again = await startParty(settings(0, restored), database.connectionString, log)
    await again.stop()
    await database.close()
  })

  test('a session that somebody wrote into the database of a running party opens nothing, and its operator hears of it', async () => {
    const database = await openTestDatabase()
    const lines: string[] = []
    const hearing = pino({ level: 'error' }, { write: (line: string) => void lines.push(line) })
    const port = await freePort()
    const party = await startParty(settings(port, keysFolder()), database.connectionString, hearing)
    try {
      const value = 'v'.repeat(43)
      await database.pool.query(
        `insert into web_session values ($1, gen_random_uuid(), 'patient', 'asha.rao@sbx', 'otp', '', now(), now(), now() + interval '1 hour', null, '')`,
        [createHash('sha256').update(value).digest()],
      )
      const get = async (path: string, headers: Record<string, string>): Promise<readonly [number, string]> => {
        const answer = await fetch(`http://127.0.0.1:${port}${path}`, { headers })
        return [answer.status, await answer.text()]
      }
      const [status, text] = await get('/v1/me', { cookie: `amanat_me_sbx=${value}` })
      assert.deepEqual([status, /auth\/no-session/.test(text)], [401, true], text)
      const operator = { authorization: `Bearer ${'o'.repeat(32)}` }
      assert.match((await get('/health/ready', operator))[1], /tampered: A row of web_session/)
      assert.match((await get('/v1/alarms', operator))[1], /"kind":"tampered"/)
      assert.match((await get('/metrics', operator))[1], /amanat_log_alarms\{kind="tampered",own="true"\} 1/)
      assert.equal(lines.filter((line) => line.includes('not by this program')).length, 1)
    } finally {
      await party.stop()
      await database.close()
    }
  })

  test('a network that was a sandbox begins in earnest: who took part on trial waits for an operator, who was confirmed goes on', async () => {
    const database = await openTestDatabase()
    const keys = keysFolder()
    const clientId = 'bridge-own-word'
    const actor = { kind: 'operator', id: 'test' } as const
    const service = (n: number) =>
      ({ id: `IN27100${10_000 + n}` as FacilityId, name: `Clinic ${n}`, roles: ['hiu'], isActive: true }) as const
    // More than one batch of them.
    const services = Array.from({ length: 103 }, (_, n) => service(n))
    const standings = async (sandbox: boolean) => {
      const party = await startParty(settings(0, keys, sandbox), database.connectionString, log)
      const inTx = <T>(work: Parameters<typeof transact<T>>[1]): Promise<T> => transact(party.machine, work)
      try {
        const found = await inTx((tx) => facilitiesOfBridge(tx, clientId))
        if (found.length === 0) {
          const bridge = { clientId, name: 'B', url: 'https://b.example', services: [], actor }
          must(await inTx((tx) => registerBridge(tx, bridge)))
          must(await inTx((tx) => saveServices(tx, { clientId, services, actor, ownWord: 'trial' })))
          must(await inTx((tx) => confirmFacility(tx, { id: service(0).id, says: {}, actor })))
        }
        const now = await inTx((tx) => facilitiesOfBridge(tx, clientId))
        const counts = Object.groupBy(now, ({ status, standing }) => `${status} ${standing}`)
        const listed = (await inTx((tx) => listFacilities(tx, { name: 'Clinic' }))).length
        const { rows } = await database.pool.query(`select 1 from audit_event where type = 'partners.trial-ended'`)
        return {
          ...Object.fromEntries(Object.entries(counts).map(([how, of]) => [how, of?.length])),
          listed,
          ended: rows.length,
        }
      } finally {
        await party.stop()
      }
    }
    const onTrial = { 'active confirmed': 1, 'active unconfirmed': 102, listed: 100, ended: 0 }
    assert.deepEqual(await standings(true), onTrial)
    assert.deepEqual(await standings(true), onTrial, 'a sandbox stays one')
    const waiting = { 'active confirmed': 1, 'inactive unconfirmed': 102, listed: 1, ended: 102 }
    assert.deepEqual(await standings(false), waiting)
    assert.deepEqual(await standings(false), waiting, 'once')
    assert.deepEqual(await standings(true), waiting, 'and nobody comes back by the setting alone')
    await database.close()
  })

  test('a party that was stopped is let go of, with all that it held', async () => {
    const database = await openTestDatabase()
    const keys = keysFolder()
    const live = async (): Promise<WeakRef<object>> => {
      const party = await startParty(settings(0, keys), database.connectionString, log)
      await party.stop()
      return new WeakRef(party.machine)
    }
    const refs = [await live(), await live()]
    setFlagsFromString('--expose-gc')
    const collect = runInNewContext('gc') as () => void
    await waitFor('the parties are let go of', async () => {
      collect()
      return refs.every((ref) => ref.deref() === undefined) || undefined
    })
    await database.close()
  })
})
