import assert from 'node:assert/strict'
import { randomBytes, randomUUID } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import pg from 'pg'
import { openTestDatabase, type TestDatabase } from '../../test/database.ts'
import { makeTestMachine } from '../../test/machine.ts'
import { makeTestKey } from '../../test/partner-client.ts'
import { listAlarms } from '../audit/watch/alarm.ts'
import { generateSigningKey, importSigningKey } from '../crypto/signature.ts'
import { type Machine, type Tx, transact } from '../db/tx.ts'
import type { FacilityId } from '../kernel/id.ts'
import { isRefusal, must, refuse } from '../kernel/refusal.ts'
import { changeClientKeys, clientById, registerClient, setClientStatus } from './client-commands.ts'
import {
  facilityById,
  listFacilities,
  registerBridge,
  revokeBridge,
  saveServices,
  updateBridgeUrl,
} from './commands.ts'
import { digestOf, hashSecret } from './secret.ts'
import { issueSession, refreshSession, verifySession } from './session-commands.ts'

const ACTOR = { kind: 'operator', id: 'test' } as const
const random = (bytes: number): Uint8Array => new Uint8Array(randomBytes(bytes))

let database: TestDatabase
let machine: Machine
let needs: Parameters<typeof issueSession>[1]
let dba: pg.Client
let count = 0
describe('who may write everything in the database of an exchange, and has none of the keys', () => {
  before(async () => {
    database = await openTestDatabase()
    machine = makeTestMachine(database)
    needs = { exchange: { id: 'sbx' }, signingKey: importSigningKey(await generateSigningKey()) }
    dba = new pg.Client({ connectionString: database.connectionString })
    await dba.connect()
  })
  after(async () => {
    await dba.end()
    await database.close()
  })

  const inTx = <T>(work: (tx: Tx) => Promise<T>): Promise<T> => transact(machine, work)
  const codeOf = (value: unknown): string => (isRefusal(value) ? value.code : 'ok')
  const alarms = () => listAlarms(database.db, { open: true, limit: 100 })

  async function assertFound(table: string, attempt: () => Promise<unknown>, code: string): Promise<void> {
    const known = new Set((await alarms()).map(({ id }) => id))
    assert.equal(codeOf(await attempt()), code)
    const raised = (await alarms()).filter(({ id }) => !known.has(id))
    assert.deepEqual(
      raised.map(({ kind }) => kind),
      ['tampered'],
    )
    assert.match(raised[0]?.detail ?? '', new RegExp(`row of ${table}\\b`))
    assert.equal(codeOf(await attempt()), code, 'and again')
  }

  /** A bridge with one hospital. */
  async function admitted() {
    count += 1
    const id = `IN27100001${10 + count}` as FacilityId
    const services = [{ id, name: 'A hospital', roles: ['hip'], isActive: true }] as const
    const input = { clientId: `bridge-${count}`, name: 'B', url: 'https://b.example', services, actor: ACTOR }
    return { ...must(await inTx((tx) => registerBridge(tx, input))), facility: id }
  }
  const logIn = (clientId: string, clientSecret: string) =>
    inTx((tx) => issueSession(tx, needs, { clientId, clientSecret }))
  const facility = async (id: FacilityId) =>
    (await inTx((tx) => facilityById(tx, id))) ?? refuse('linking/not-found-there')

  test('a secret that she put in place of a bridge’s logs nobody in, and no change by the program makes it true', async () => {
    const { clientId, clientSecret } = await admitted()
    const { accessToken } = must(await logIn(clientId, clientSecret))
    const hash = await hashSecret(random, 'my own secret')
    await dba.query('update bridge set secret_hash = $1 where client_id = $2', [hash, clientId])
    await assertFound('bridge', () => logIn(clientId, 'my own secret'), 'auth/bad-credentials')
    assert.equal(codeOf(await inTx((tx) => verifySession(tx, needs, accessToken))), 'auth/invalid-token')
    const change = { clientId, url: 'https://other.example', actor: ACTOR }
    assert.equal(codeOf(await inTx((tx) => updateBridgeUrl(tx, change))), 'partners/unknown-bridge')
  })

  test('a bridge that she lets in again, or sends elsewhere, is none, and its facilities are not there', async () => {
    const revoked = await admitted()
    must(await inTx((tx) => revokeBridge(tx, { clientId: revoked.clientId, actor: ACTOR })))
    await dba.query(`update bridge set status = 'active' where client_id = $1`, [revoked.clientId])
    await assertFound('bridge', () => logIn(revoked.clientId, revoked.clientSecret), 'auth/bad-credentials')
    const moved = await admitted()
    await dba.query(`update bridge set url = 'https://mine.example' where client_id = $1`, [moved.clientId])
    await assertFound('bridge', () => facility(moved.facility), 'linking/not-found-there')
    assert.ok(!(await inTx(listFacilities)).some(({ id }) => id === moved.facility))
  })

  test('a facility that she gives to her own bridge, or makes a hospital, is none; nor can her bridge save it as its own', async () => {
    const [own, other] = [await admitted(), await admitted()]
    await dba.query('update facility set bridge = $1 where id = $2', [own.clientId, other.facility])
    await assertFound('facility', () => facility(other.facility), 'linking/not-found-there')
    const services = [{ id: other.facility, name: 'Mine', roles: ['hip'], isActive: true }] as const
    const save = () => inTx((tx) => saveServices(tx, { clientId: own.clientId, services, actor: ACTOR }))
    assert.equal(codeOf(await save()), 'partners/facility-taken')
    const { accessToken } = must(await logIn(own.clientId, own.clientSecret))
    const caller = must(await inTx((tx) => verifySession(tx, needs, accessToken)))
    assert.deepEqual(caller.facilities, [own.facility])
    await dba.query(`update facility set facility_types = '{Hospital}', is_government = true where id = $1`, [
      own.facility,
    ])
    await assertFound('facility', () => facility(own.facility), 'linking/not-found-there')
  })

  test('a refresh token of her own making, or her own in another’s name, renews nothing', async () => {
    const [own, other] = [await admitted(), await admitted()]
    const { refreshToken } = must(await logIn(own.clientId, own.clientSecret))
    await dba.query('update refresh_token set client_id = $1 where client_id = $2', [other.clientId, own.clientId])
    const renew = (token: string) =>
      inTx((tx) => refreshSession(tx, needs, { clientId: other.clientId, refreshToken: token }))
    await assertFound('refresh_token', () => renew(refreshToken), 'auth/bad-credentials')
    const at = machine.now()
    await dba.query(
      `insert into refresh_token (digest, client_id, family, issued_at, expires_at, tie) values ($1, $2, $3, $4, $5, '')`,
      [digestOf('mine'), other.clientId, randomUUID(), at, new Date(at.getTime() + 60_000)],
    )
    await assertFound('refresh_token', () => renew('mine'), 'auth/bad-credentials')
  })

  test('keys, scopes and status of a partner’s software are as the operator said', async () => {
    const keys = async () => {
      const { jwk } = await makeTestKey('ES384')
      return { kind: 'inline', jwks: { keys: [{ ...jwk }] } } as const
    }
    const read = async (id: string) => (await inTx((tx) => clientById(tx, id))) ?? refuse('partners/unknown-client')
    const admit = async (clientId: string) =>
      must(
        await inTx(async (tx) =>
          registerClient(tx, {
            clientId,
            name: 'Lab',
            facilities: [],
            scopes: ['system/Consent.rs'],
            bearerAllowed: false,
            keys: await keys(),
            certificates: { thumbprints: [] },
            actor: ACTOR,
          }),
        ),
      )
    await admit('lab-a')
    const change = { clientId: 'lab-a', keys: await keys(), certificates: { thumbprints: [] }, actor: ACTOR }
    must(await inTx((tx) => changeClientKeys(tx, change)))
    assert.equal(codeOf(await read('lab-a')), 'ok')
    const mine = JSON.stringify((await keys()).jwks)
    await dba.query(`update partner_client set jwks = $1 where client_id = 'lab-a'`, [mine])
    await assertFound('partner_client', () => read('lab-a'), 'partners/unknown-client')
    await admit('lab-b')
    await dba.query(
      `update partner_client set scopes = '{system/Consent.rs,system/AuditEvent.rs}' where client_id = 'lab-b'`,
    )
    await assertFound('partner_client', () => read('lab-b'), 'partners/unknown-client')
    await admit('lab-c')
    must(await inTx((tx) => setClientStatus(tx, { clientId: 'lab-c', status: 'suspended', actor: ACTOR })))
    await dba.query(`update partner_client set status = 'active' where client_id = 'lab-c'`)
    await assertFound('partner_client', () => read('lab-c'), 'partners/unknown-client')
  })
})
