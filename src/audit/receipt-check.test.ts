import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { makeLog, makeReceipt, vkey, witnessVkey } from '../../test/made-log.ts'
import { checkReceipt } from './receipt-check.ts'
import { logVerifyCommand } from './verify-command.ts'

const log = makeLog(70)
const POLICY = `log ${vkey}\nwitness w ${witnessVkey}\nquorum w\n`
/** A witness that never cosigned this log. */
const ABSENT = 'witness.example/x+'
const other = async (): Promise<string> => {
  const { makeCosigner } = await import('../crypto/cosignature.ts')
  const { formatVkey } = await import('../crypto/signed-note.ts')
  return formatVkey(makeCosigner(ABSENT.slice(0, -1), new Uint8Array(32).fill(8)).key)
}

test('a receipt alone: what it proves, by whose keys, and who cosigned when', async () => {
  const receipt = await makeReceipt(await log, 12)
  const check = checkReceipt(JSON.stringify(receipt), '')
  assert.ok(check.state === 'holds')
  const { entry, size, keys, cosigned } = check
  assert.deepEqual({ entry, size, keys }, { entry: 12, size: 70, keys: 'own' })
  assert.deepEqual(cosigned, [{ name: 'witness.example/w', at: new Date(1_800_000_000_000) }])
  assert.equal(check.policy, undefined)
})

test('with a policy: final, or not witnessed enough, or of a log that the policy does not know', async () => {
  const json = JSON.stringify(await makeReceipt(await log, 3))
  const final = checkReceipt(json, POLICY)
  assert.ok(final.state === 'holds' && final.keys === 'policy')
  assert.deepEqual(final.policy, { satisfied: true, quorum: 'w' })
  const two = `${POLICY.replace('quorum w', `witness x ${await other()}\ngroup both all w x\nquorum both`)}`
  const waiting = checkReceipt(json, two)
  assert.ok(waiting.state === 'holds')
  assert.deepEqual(waiting.policy, { satisfied: false, quorum: 'all of w, x' })
  assert.equal(
    checkReceipt(json, `log ${vkey.replace('log.example/a', 'log.example/b')}\nquorum none`).state,
    'malformed',
  )
  assert.equal(checkReceipt(json, 'quorum nobody').state, 'malformed')
})

test('what was changed is forged, what is none is malformed', async () => {
  const receipt = await makeReceipt(await log, 3)
  assert.equal(checkReceipt(JSON.stringify({ ...receipt, event: { type: 'other' } }), '').state, 'forged')
  assert.equal(checkReceipt(JSON.stringify({ ...receipt, at: '2020-01-01T00:00:00.000Z' }), POLICY).state, 'forged')
  assert.equal(checkReceipt('{}', '').state, 'malformed')
  const claimed = { ...receipt, standing: { state: 'final', cosigned: [], quorum: 'all' } }
  assert.equal(checkReceipt(JSON.stringify(claimed), '').state, 'holds', 'a claim of its own changes nothing')
  assert.equal(checkReceipt(JSON.stringify({ ...receipt, standing: { state: 'sure' } }), '').state, 'malformed')
})

test('amanat log verify RECEIPT --policy FILE', async () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'amanat-policy-'))
  try {
    const file = path.join(folder, 'receipt.json')
    const policy = path.join(folder, 'policy')
    fs.writeFileSync(file, JSON.stringify(await makeReceipt(await log, 3)))
    const said: string[] = []
    const verify = (): Promise<number> =>
      logVerifyCommand([file, '--policy', policy], { print: (line) => void said.push(line), fetching: fetch })
    fs.writeFileSync(policy, POLICY)
    assert.equal(await verify(), 0)
    assert.match(said.join('\n'), /ok {6}policy: w must cosign; w did/)
    assert.doesNotMatch(said.join('\n'), /give --key/)
    fs.writeFileSync(policy, `${POLICY.replace('quorum w', `witness x ${await other()}\nquorum x`)}`)
    assert.equal(await verify(), 1)
    assert.match(said.at(-1) ?? '', /failed {2}policy: x must cosign; w did/)
    fs.writeFileSync(policy, 'rubbish\n')
    assert.equal(await verify(), 1)
  } finally {
    fs.rmSync(folder, { recursive: true })
  }
})
