import assert from 'node:assert/strict'
import { test } from 'node:test'
import { event, type Files, makeLog, makeReceipt, signer, vkey, witnessVkey } from '../../test/made-log.ts'
import { makeCosigner } from '../crypto/cosignature.ts'
import { formatVkey, makeSigner } from '../crypto/signed-note.ts'
import { checkProof, type LogMemory, type LogNow } from './proof-check.ts'

const WITNESS = { name: 'witness.example/w', vkey: witnessVkey }
const logOf = (files: Files, change: Partial<LogNow> = {}): LogNow => ({
  vkey,
  witnesses: [WITNESS],
  source: { name: 'test', read: async (path) => files.get(path) },
  ...change,
})
const small = await makeLog(300)
const large = await makeLog(700)
const receipt = JSON.stringify(await makeReceipt(small, 123))
const shown = event(123)
const states = ({ entry, log, witnesses }: Awaited<ReturnType<typeof checkProof>>): readonly string[] =>
  [entry, log, witnesses].map((line) => (line.state === 'fails' ? line.why : line.state))

async function remembered(files: Files = small): Promise<LogMemory> {
  const { remember } = await checkProof(JSON.stringify(await makeReceipt(files, 123)), shown, logOf(files), undefined)
  assert.ok(remember)
  return remember
}

test('a first look: all three lines hold, and the device remembers key, witnesses and checkpoint', async () => {
  const seen = await checkProof(receipt, shown, logOf(small), undefined)
  assert.deepEqual(states(seen), ['holds', 'holds', 'holds'])
  assert.deepEqual(seen.witnesses.by, ['witness.example/w'])
  assert.equal(seen.log.since, undefined)
  assert.deepEqual(seen.remember?.witnesses, [WITNESS])
})

test('later: the log that grew continues what the device remembers, and what the receipt says', async () => {
  const seen = await checkProof(receipt, shown, logOf(large), await remembered())
  assert.deepEqual(states(seen), ['holds', 'holds', 'holds'])
  assert.equal(seen.log.since, 300)
  assert.equal(seen.log.size, 700)
})

test('a forged receipt fails and nothing is remembered; so does one of another event than the one shown', async () => {
  for (const forged of [
    receipt.replace('test.done', 'test.lies'),
    receipt.replace('06:30:00', '06:30:01'),
    receipt.replace('"e123"', '"e124"'),
    '{}',
    'no receipt',
  ]) {
    const seen = await checkProof(forged, shown, logOf(small), undefined)
    assert.deepEqual(states(seen)[0], 'receipt-forged', forged.slice(0, 40))
    assert.equal(seen.remember, undefined)
  }
  const other = await checkProof(receipt, { ...shown, event: { type: 'something else' } }, logOf(small), undefined)
  assert.equal(states(other)[0], 'receipt-of-another')
  assert.equal(other.remember, undefined)
})

test('a log that was forked, cut or put back is noticed by what the device remembers', async () => {
  const memory = await remembered(large)
  const cut = await checkProof(receipt, shown, logOf(small), memory)
  assert.deepEqual(states(cut), ['holds', 'log-changed', 'holds'])
  assert.equal(cut.remember, undefined)
  const fork = await makeLog(800, ' other')
  assert.equal(states(await checkProof(receipt, shown, logOf(fork), memory))[1], 'log-changed')
  const forkReceipt = JSON.stringify({ ...(await makeReceipt(fork, 123)), event: { type: 'test.done other' } })
  const forked = await checkProof(forkReceipt, { ...shown, event: { type: 'test.done other' } }, logOf(fork), memory)
  assert.deepEqual(states(forked), ['holds', 'log-changed', 'holds'], 'another history, whole in itself')
})

test('another key of the log, or of a witness, is an alarm; a new witness is not', async () => {
  const memory = await remembered()
  const stranger = formatVkey(makeSigner(signer.key.name, new Uint8Array(32).fill(9)).key)
  const rekeyed = await checkProof(receipt, shown, logOf(large, { vkey: stranger }), memory)
  assert.deepEqual(states(rekeyed), ['log-key-changed', 'log-key-changed', 'log-key-changed'])
  const other = { name: WITNESS.name, vkey: formatVkey(makeCosigner(WITNESS.name, new Uint8Array(32).fill(8)).key) }
  const swapped = await checkProof(receipt, shown, logOf(large, { witnesses: [other] }), memory)
  assert.deepEqual(states(swapped), ['holds', 'holds', 'witness-changed'])
  assert.equal(swapped.remember, undefined)
  const second = { name: 'w2.example', vkey: formatVkey(makeCosigner('w2.example', new Uint8Array(32).fill(7)).key) }
  const joined = await checkProof(receipt, shown, logOf(large, { witnesses: [WITNESS, second] }), memory)
  assert.deepEqual(states(joined), ['holds', 'holds', 'holds'])
  assert.deepEqual(joined.remember?.witnesses, [WITNESS, second])
})

test('without a cosignature the third line waits, and nothing else fails', async () => {
  const alone = new Map(small)
  const [signed = ''] = Buffer.from(small.get('checkpoint') ?? [])
    .toString()
    .split('— witness')
  alone.set('checkpoint', Buffer.from(signed))
  const seen = await checkProof(JSON.stringify(await makeReceipt(alone, 123)), shown, logOf(alone), undefined)
  assert.deepEqual(states(seen), ['holds', 'holds', 'waits'])
  assert.ok(seen.remember)
})

test('a log that does not answer, or answers rubbish, does not hold', async () => {
  const silent = logOf(small, { source: { name: 'test', read: async () => undefined } })
  assert.equal(states(await checkProof(receipt, shown, silent, undefined))[1], 'log-changed')
  const rubbish = logOf(small, { source: { name: 'test', read: async () => Buffer.from('rubbish') } })
  assert.equal(states(await checkProof(receipt, shown, rubbish, undefined))[1], 'log-changed')
})
