import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { isRefusal, must } from '../../kernel/refusal.ts'
import { logVerifyCommand } from '../verify-command.ts'
import { makeRequest, readAnswer } from './ask.ts'
import { leadsTo, refuseAsSigner } from './chain.ts'
import { readStampFile } from './file.ts'
import { readRoots, verifyStamp } from './token.ts'

const folder = fileURLToPath(new URL('../../../test/vectors/log', import.meta.url))
const json = readFileSync(`${folder}/timestamp.json`, 'utf8')
const { checkpoint, token } = JSON.parse(json) as { checkpoint: string; token: string }
const roots = readRoots(readFileSync(`${folder}/timestamp-ca.pem`, 'utf8'))
const bytes = Buffer.from(checkpoint)
const der = Buffer.from(token, 'base64')

const why = (result: unknown): string => (isRefusal(result) ? result.detail : 'holds')

test('a time-stamp of an authority that is trusted holds, with one certificate in between', () => {
  const stamp = must(readStampFile(json, roots))
  assert.equal(stamp.authority, 'CN=Amanat test time-stamps')
  assert.equal(stamp.at.getUTCFullYear(), 2026)
})

test('of something else, for another request, by somebody who is not trusted: refused', () => {
  assert.match(why(verifyStamp(der, { bytes: Buffer.from('else'), roots })), /of something else/)
  assert.match(why(verifyStamp(der, { bytes, roots, nonce: new Uint8Array(16).fill(65) })), /another request/)
  assert.match(why(verifyStamp(der, { bytes, roots: [] })), /not lead to an authority/)
  for (const text of [
    '',
    '{}',
    '[',
    json.slice(0, -40),
    JSON.stringify({ amanat: 'timestamp/v1', checkpoint, token: '*' }),
  ])
    assert.match(why(readStampFile(text, roots)), /no time-stamp/)
})

test('no changed byte makes another time-stamp of it; what is cut off is none', () => {
  const stamp = must(verifyStamp(der, { bytes, roots }))
  for (let at = 0; at < der.length; at += 11) {
    const changed = Uint8Array.from(der)
    changed[at] = (changed[at] ?? 0) ^ 0x04
    const result = verifyStamp(changed, { bytes, roots })
    if (!isRefusal(result)) assert.deepEqual(result, stamp, `byte ${at}`)
  }
  for (const length of [0, 1, 40, der.length - 1])
    assert.ok(isRefusal(verifyStamp(der.subarray(0, length), { bytes, roots })))
})

test('only a certificate for time-stamps alone may sign them, while it is valid', () => {
  const [root] = roots
  assert.ok(root)
  assert.match(refuseAsSigner(root) ?? '', /not for time-stamps/)
  assert.equal(leadsTo(roots, root, [], new Date('2026-12-01')), true)
  assert.equal(leadsTo(roots, root, [], new Date('2020-01-01')), false)
  assert.throws(() => readRoots('nothing'), /no certificate/)
})

test('an answer that is none, or a rejection, is said', () => {
  for (const answer of [new Uint8Array(), Buffer.from('<html>'), der])
    assert.match(why(readAnswer(answer, { bytes, roots })), /no time-stamp response/)
  // TimeStampResp { status 2 (rejection), statusString "busy" }
  const rejection = Buffer.from('300d300b0201023006 0c0462757379'.replaceAll(' ', ''), 'hex')
  assert.match(why(readAnswer(rejection, { bytes, roots })), /status 2: busy/)
})

test('a request has the hash, the number and the wish for certificates', () => {
  const request = Buffer.from(makeRequest(bytes, new Uint8Array(16).fill(0x41))).toString('hex')
  assert.match(request, /^30/)
  assert.ok(request.includes(`0210${'41'.repeat(16)}0101ff`))
})

test('the command checks it together with the log', async () => {
  const lines: string[] = []
  const needs = { print: (line: string) => void lines.push(line), fetching: fetch }
  const args = [folder, '--timestamp', `${folder}/timestamp.json`, '--tsa-ca', `${folder}/timestamp-ca.pem`]
  assert.equal(await logVerifyCommand(args, needs), 0, lines.join('\n'))
  assert.match(lines.join('\n'), /ok {6}time-stamp: CN=Amanat test time-stamps saw this checkpoint at 2026-/)
  assert.match(lines.join('\n'), /ok {6}history: the log of 7 entries continues the one of 3/)
  assert.equal(await logVerifyCommand(args.slice(0, 3), needs), 2)
  const wrong = [...args.slice(0, 2), `${folder}/receipt.json`, ...args.slice(3)]
  assert.equal(await logVerifyCommand(wrong, needs), 1)
})
