import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { CallOutcome, OutboundCall } from '../http/outbound.ts'
import { LIMITS } from '../kernel/limits.ts'
import { fetchLinks, type Links } from './links.ts'

const BODY = Buffer.alloc(1_000, 'A')
const answered: CallOutcome = { kind: 'answered', status: 200, headers: {}, body: BODY, tookMs: 1 }
const silent: CallOutcome = { kind: 'failed', reason: 'no answer in time', tookMs: LIMITS.pushTimeoutMs }

describe('links of a page', () => {
  async function fetched(
    urls: readonly string[],
    say: (call: OutboundCall) => CallOutcome,
    more: Partial<Links> = {},
    first = 0,
  ) {
    const calls: OutboundCall[] = []
    const call = async (wanted: OutboundCall): Promise<CallOutcome> => {
      calls.push(wanted)
      return say(wanted)
    }
    const waiting = urls.map((url, entry) => ({ entry, url }))
    const turn = await fetchLinks({ call }, { waiting, bytesLeft: 1_000_000, ...more }, first)
    return { turn, calls: calls.map(({ url }) => url), asked: calls.map(({ answerBytesMax }) => answerBytesMax) }
  }
  const at = (host: string, count: number) => Array.from({ length: count }, (_, i) => `https://${host}.example/${i}`)

  test('bring no more in all than a pushed page may hold; what is beyond is not asked for', async () => {
    const { turn, calls, asked } = await fetched(at('files', 6), () => answered, { bytesLeft: 3_000 })
    assert.equal(calls.length, 3)
    assert.deepEqual(asked, [3_000, 2_000, 1_000])
    assert.deepEqual(
      [...turn.settled.values()].map((result) => 'content' in result),
      [true, true, true, false, false, false],
    )
    assert.equal(turn.unanswered.size, 0, 'no try would change it')
  })

  test('an answer that is too long takes what was left, and is not asked for again', async () => {
    const tooLong: CallOutcome = { kind: 'failed', reason: 'too long', tookMs: 1, isTooLong: true }
    const { turn, calls } = await fetched(at('files', 5), () => tooLong)
    assert.equal(calls.length, 1)
    assert.deepEqual([turn.settled.size, turn.unanswered.size], [5, 0])
  })

  test('who does not answer is asked once in a turn, and others are still asked', async () => {
    const say = ({ url }: OutboundCall): CallOutcome => (url.includes('victim') ? { ...silent, tookMs: 1 } : answered)
    const { turn, calls } = await fetched([...at('victim', 30), ...at('files', 2)], say)
    assert.deepEqual(calls, ['https://victim.example/0', 'https://files.example/0', 'https://files.example/1'])
    assert.deepEqual([turn.settled.size, turn.unanswered.size, turn.isCutShort], [2, 30, false])
  })

  test('a turn ends while its job is still ours, and the next begins at another link', async () => {
    const say = ({ url }: OutboundCall): CallOutcome => (url.includes('slow') ? silent : answered)
    const urls = [...at('slow', 1), ...at('files', 2)]
    const one = await fetched(urls, say)
    assert.deepEqual([one.calls.length, one.turn.settled.size, one.turn.isCutShort], [1, 0, true])
    const two = await fetched(urls, say, {}, 1)
    assert.deepEqual([...two.turn.settled.keys()], [1, 2])
    assert.ok(LIMITS.linksTurnMs + LIMITS.pushTimeoutMs < LIMITS.jobLeaseMs)
  })
})
