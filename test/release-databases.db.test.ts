import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import pg from 'pg'
import pino from 'pino'
import { startParty } from '../src/app.ts'
import { openParty } from '../src/app-copy.ts'
import { type PartyConfig, parseConfig } from '../src/config.ts'
import { migrationStatus } from '../src/db/migrate.ts'
import { makeOutbound } from '../src/http/outbound.ts'
import { countDatabase } from '../src/recovery/census.ts'
import { confirmRestored, noteOfRestore } from '../src/recovery/commands.ts'
import { checkParty } from '../src/recovery/party-checks.ts'
import { markRestored } from '../src/recovery/store.ts'
import { openTestDatabase, type TestDatabase } from './database.ts'
import { dumpDatabase, tablesWith } from './database-dump.ts'
import { callJson, freePort } from './network.ts'
import { loadReleaseDatabase, RELEASES, RELEASES_FOLDER } from './release-database.ts'

let server: TestDatabase
let folder: string
describe('release-databases', () => {
  before(async () => {
    server = await openTestDatabase()
    folder = mkdtempSync(join(tmpdir(), 'amanat-release-keys-'))
  })
  after(async () => {
    await server.close()
    rmSync(folder, { recursive: true, force: true })
  })

  const TOKEN = 'operator token of the tests, 32 and more'
  /** Tables whose rows come and go by themselves. */
  const PASSING = new Set([
    'job',
    'message',
    'message_content',
    'log_queue',
    'setting',
    'schema_migrations',
    'log_cosignature',
    'log_witness',
    'seen_request',
    'text_message',
    // They end at their time, which has come for those of an old release.
    'refresh_token',
    'staff_invitation',
    'linking_attempt',
    'sign_in_code',
    'web_session',
    'step_up',
  ])

  function settingsOf(party: string, url: string, keysFolder: string, port: number): object {
    const role = party === 'exchange' ? 'exchange' : 'facility'
    const origin = party === 'exchange' ? 'exchange.amanat.example/log' : 'tarangini.amanat.example/log'
    return {
      role,
      id: party === 'exchange' ? 'sbx' : 'IN2710000011',
      name: party,
      listen: { port },
      publicUrl: `http://127.0.0.1:${port}`,
      database: { url },
      keysFolder,
      log: { origin },
      operatorToken: TOKEN,
      allowPrivateNetworks: true,
      textMessages: { kind: 'sandbox' },
      sandbox: true,
      ...(role === 'exchange'
        ? {}
        : { exchange: { baseUrl: 'http://127.0.0.1:9/api/hiecm', cmId: 'sbx', clientId: 'x', clientSecret: 'y' } }),
    }
  }

  for (const [release, newest] of Object.entries(RELEASES)) {
    for (const party of ['exchange', 'hospital']) {
      test(`the ${party} of release ${release} comes to the newest schema with everything it had`, async () => {
        const name = `release_${randomBytes(4).toString('hex')}`
        await server.pool.query(`create database ${name} template template0`)
        const address = new URL(server.connectionString)
        address.pathname = `/${name}`
        const url = address.href
        try {
          const counts = await loadReleaseDatabase(url, release, party)
          const keysFolder = join(folder, party)
          cpSync(join(RELEASES_FOLDER, release, party), keysFolder, { recursive: true })
          const port = await freePort()
          const config = parseConfig(settingsOf(party, url, keysFolder, port), 'the test')
          const running = await startParty(config, url, pino({ level: 'silent' }))
          try {
            await readsAsBefore(party, running.url)
          } finally {
            await running.stop()
          }
          await hasEverything(url, counts, newest)
          // What the old release wrote in plain an administrator of the database reads no more.
          const stored = await dumpDatabase(url)
          for (const marker of ['asha.rao@sbx', 'TGH-001200']) assert.deepEqual(tablesWith(stored, marker), [], marker)
          if (party === 'hospital') await waitsForItsOperator(config, url)
          const copy = await openParty(config, url, 'running')
          try {
            const checks = await checkParty(party, copy, copy, { seen: [], silent: [] })
            assert.deepEqual(
              checks.filter(({ passed }) => passed !== true),
              [],
            )
          } finally {
            await copy.close()
          }
        } finally {
          await server.pool.query(`drop database if exists ${name} with (force)`)
        }
      })
    }
  }

  /** Restored, a party shows its log and nothing else; confirmed, it is as before. */
  async function waitsForItsOperator(config: PartyConfig, url: string): Promise<void> {
    const note = { backup: 'b', restoredAt: '2026-11-22T06:30:00.000Z', reachedAt: null, differences: 0 }
    await markRestored(url, note)
    const waiting = await startParty(config, url, pino({ level: 'silent' }))
    try {
      const refused = await callJson(`${waiting.url}/v1/patients`, { authorization: `Bearer ${TOKEN}` }, {})
      assert.deepEqual([refused.status, JSON.stringify(refused.body).includes('machine/restored')], [503, true])
      assert.equal((await callJson(`${waiting.url}/witness/add-checkpoint`, {}, {})).status, 503)
      assert.equal((await callJson(`${waiting.url}/log/checkpoint`, {})).status, 200)
    } finally {
      await waiting.stop()
    }
    const party = await openParty(config, url, 'running')
    const outbound = makeOutbound({ allowPrivateNetworks: true, nowMs: () => 0 })
    try {
      await confirmRestored({ ...party, outbound, acceptLost: 0, acceptUnasked: false, acceptDifferences: false })
      assert.equal(await noteOfRestore(party.machine.db), undefined)
    } finally {
      await outbound.close()
      await party.close()
    }
  }

  /** A patient whom the old release enrolled is there by her name. */
  async function readsAsBefore(party: string, url: string): Promise<void> {
    const path = party === 'exchange' ? '/v1/sandbox/patients' : '/v1/patients/TGH-001200'
    const { status, body } = await callJson(`${url}${path}`, { authorization: `Bearer ${TOKEN}` })
    assert.equal(status, 200, JSON.stringify(body))
    assert.match(JSON.stringify(body), /asha\.rao@sbx/)
  }

  async function hasEverything(url: string, counts: ReadonlyMap<string, number>, newest: number): Promise<void> {
    const pool = new pg.Pool({ connectionString: url, max: 1 })
    try {
      const { pending, applied } = await migrationStatus(pool)
      assert.deepEqual(pending, [])
      assert.ok(applied.length > newest / 10)
    } finally {
      await pool.end()
    }
    const client = new pg.Client({ connectionString: url })
    await client.connect()
    try {
      const now = (await countDatabase('it', client)).counts
      const fewer = [...counts].filter(([table, count]) => !PASSING.has(table) && (now[table] ?? 0) < count)
      assert.deepEqual(fewer, [], 'tables with fewer rows than before')
    } finally {
      await client.end()
    }
  }
})
