import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { isRefusal } from '../kernel/refusal.ts'
import { openKeyFile, type PartyKeys, rotateClientKey, rotateSigningKey } from './key-file.ts'
import { signToken, verifyToken } from './token.ts'

const folder = mkdtempSync(join(tmpdir(), 'amanat-rotation-'))
describe('vault/key-rotation', () => {
  after(() => rmSync(folder, { recursive: true, force: true }))
  const open = (): Promise<PartyKeys> => openKeyFile(folder, (bytes) => new Uint8Array(randomBytes(bytes)))
  const NOW = new Date('2026-11-22T06:30:00.000Z')
  const order = { issuer: 'sbx', audience: 'amanat:link', now: NOW } as const

  async function isBelieved(token: string): Promise<boolean> {
    return !isRefusal(await verifyToken((await open()).signing, token, order))
  }
  const issue = async (): Promise<string> =>
    signToken((await open()).signing, { ...order, lifeMs: 60_000, claims: { sub: 'x' } })

  test('a file of before gets a client key at the next start, and keeps everything else', async () => {
    const made = await open()
    const path = join(folder, 'keys.json')
    const { clientKeyPems: _gone, ...before } = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>
    writeFileSync(path, JSON.stringify(before))
    const read = await open()
    assert.equal(read.client.length, 1)
    assert.equal(read.signing.kid, made.signing.kid)
    assert.equal((await open()).client[0]?.kid, read.client[0]?.kid, 'made once')
  })

  test('a new client key signs, the one before it stays published, older ones go', async () => {
    const [first] = (await open()).client
    rotateClientKey(folder)
    const second = (await open()).client
    assert.deepEqual([second.length, second[1]?.kid], [2, first?.kid])
    rotateClientKey(folder)
    const third = (await open()).client
    assert.deepEqual([third.length, third[1]?.kid], [2, second[0]?.kid])
    assert.deepEqual(Object.keys(third[0]?.publicJwk ?? {}).sort(), ['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y'])
  })

  test('what an older signing key signed is believed, unless it was stolen', async () => {
    const old = await issue()
    await rotateSigningKey(folder, { keepOld: true })
    const fresh = await issue()
    assert.deepEqual([await isBelieved(old), await isBelieved(fresh), await isBelieved('rubbish')], [true, true, false])
    await rotateSigningKey(folder, { keepOld: false })
    assert.deepEqual(
      [await isBelieved(old), await isBelieved(fresh), await isBelieved(await issue())],
      [false, false, true],
    )
    assert.deepEqual((await open()).signing.older, [])
  })
})
