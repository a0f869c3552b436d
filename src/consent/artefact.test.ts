import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { generateSigningKey, importSigningKey } from '../crypto/signature.ts'
import { isRefusal } from '../kernel/refusal.ts'
import { artefactText, readPermission, signArtefact, verifyArtefact, wirePermission } from './artefact.ts'
import type { ConsentDetail } from './consent.ts'

const page = readFileSync(path.join(import.meta.dirname, '../../docs/artefact.md'), 'utf8')
const blocks = [...page.matchAll(/```(?:json|text)\n([\s\S]*?)\n```/g)].map((match) => match[1] ?? '')
const [detailText = '', canonical = '', jwkText = '', signature = ''] = blocks
const detail = JSON.parse(detailText) as ConsentDetail
const jwk = JSON.parse(jwkText) as object

test('the worked example of docs/artefact.md holds', () => {
  assert.equal(artefactText(detail), canonical)
  assert.ok(page.includes(`${Buffer.byteLength(canonical)} bytes`))
  assert.equal(signature.length, 344)
  assert.equal(verifyArtefact(jwk, detail, signature), true)
})

test('the order of members does not matter; any other change, anywhere, breaks the signature', () => {
  const turned = JSON.parse(JSON.stringify(detail, Object.keys(flat(detail)).toReversed())) as object
  assert.equal(verifyArtefact(jwk, turned, signature), true)
  const leaves = Object.entries(flat(detail))
  assert.ok(leaves.length > 20)
  for (const name of Object.keys(detail)) {
    const { [name as keyof ConsentDetail]: _left, ...rest } = detail
    assert.ok(isRefusal(verifyArtefact(jwk, rest, signature)), `without ${name}`)
  }
  for (const changed of [
    { ...detail, lastUpdated: '2026-11-22T06:30:00.001Z' },
    { ...detail, hiTypes: [...detail.hiTypes, 'Invoice'] },
    { ...detail, hiTypes: detail.hiTypes.toReversed() },
    { ...detail, extra: null },
    { ...detail, permission: { ...detail.permission, frequency: { ...detail.permission.frequency, repeats: 3 } } },
  ]) {
    assert.ok(isRefusal(verifyArtefact(jwk, changed, signature)))
  }
})

/** All member names at any depth. */
function flat(value: unknown, into: Record<string, true> = {}): Record<string, true> {
  if (Array.isArray(value)) for (const one of value) flat(one, into)
  else if (typeof value === 'object' && value !== null) {
    for (const [name, inner] of Object.entries(value)) {
      into[name] = true
      flat(inner, into)
    }
  }
  return into
}

test('another key, a cut signature and rubbish do not verify', async () => {
  const key = importSigningKey(await generateSigningKey())
  const own = signArtefact(key, detail)
  assert.equal(verifyArtefact(key.publicJwk, detail, own), true)
  for (const wrong of [signature, own.slice(0, -4), '', 'rubbish', `${own}A`])
    assert.ok(isRefusal(verifyArtefact(key.publicJwk, detail, wrong)))
})

test('a permission survives the wire', () => {
  assert.deepEqual(wirePermission(readPermission(detail.permission)), detail.permission)
})
