import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { AbhaAddress, FacilityId, Id } from '../kernel/id.ts'
import { isRefusal } from '../kernel/refusal.ts'
import type { Group } from './care-context.ts'
import {
  awaited,
  choose,
  confirm,
  giveUp,
  MOVES,
  type Step,
  type Transaction,
  takeConfirmation,
  takeFound,
  takeOffer,
  withoutSecrets,
} from './transaction.ts'

const NOW = new Date('2026-11-22T06:30:00.000Z')
const group = (references: readonly string[]): Group => ({
  referenceNumber: 'MRN-1',
  display: 'Asha',
  careContexts: references.map((referenceNumber) => ({ referenceNumber, display: referenceNumber })),
  hiType: 'OPConsultation',
})
const request = (n: number) => `00000000-0000-7000-8000-${String(n).padStart(12, '0')}` as Id<'request'>

const start: Transaction = {
  id: request(99) as string as Id<'linking-transaction'>,
  patient: 'asha.rao@sbx' as AbhaAddress,
  hip: 'IN2710000011' as FacilityId,
  askedByRequest: 'r',
  sentRequest: request(0),
  startedAt: NOW,
  status: 'asked',
  identifiers: [],
  answerBy: new Date(NOW.getTime() + 10_000),
}

/** Everything that anybody may try, at a moment and with the right or a wrong request id. */
type Try = {
  readonly what: 'found' | 'choose' | 'offer' | 'confirm' | 'confirmed' | 'give-up'
  readonly isRight: boolean
  readonly isError: boolean
  readonly code: string
  readonly afterMs: number
  readonly refs: readonly string[]
  readonly step: Step
}
const tries: fc.Arbitrary<Try> = fc.record({
  what: fc.constantFrom('found', 'choose', 'offer', 'confirm', 'confirmed', 'give-up'),
  isRight: fc.boolean(),
  isError: fc.boolean(),
  code: fc.constantFrom('ABDM-1035', 'ABDM-1010'),
  afterMs: fc.constantFrom(0, 5_000, 20_000, 100_000),
  refs: fc.subarray(['a', 'b', 'c']),
  step: fc.constantFrom('discover', 'init', 'confirm'),
})

function attempt(t: Transaction, each: Try, now: Date, n: number) {
  const sent = each.isRight ? t.sentRequest : request(12345)
  const error = { error: { code: each.code, message: 'no' } }
  const step = { askedByRequest: 'r', sentRequest: request(n) }
  const link = {
    referenceNumber: 'ref',
    authenticationType: 'DIRECT',
    communicationMedium: 'MOBILE',
    communicationExpiry: new Date(now.getTime() + 60_000).toISOString(),
  } as const
  switch (each.what) {
    case 'found':
      return takeFound(t, sent, each.isError ? error : { result: { found: [group(['a', 'b'])], matchedBy: [] } }, now)
    case 'choose':
      return choose(t, { ...step, chosen: [group(each.refs)] }, now)
    case 'offer':
      return takeOffer(t, sent, each.isError ? error : { result: link }, now)
    case 'confirm':
      return confirm(t, { ...step, otp: '123456' }, now)
    case 'confirmed':
      return takeConfirmation(t, sent, each.isError ? error : { result: [group(each.refs)] }, now)
    case 'give-up':
      return giveUp(t, each.step, { code: 'ABDM-1402', message: 'no answer' })
  }
}

test('whatever is tried in whatever order: only moves of the table, no wider link than chosen, no late or foreign answer', () => {
  fc.assert(
    fc.property(fc.array(tries, { maxLength: 12 }), (steps) => {
      let t: Transaction = start
      let now = NOW
      for (const [n, each] of steps.entries()) {
        now = new Date(now.getTime() + each.afterMs)
        const next = attempt(t, each, now, n + 1)
        if (next === undefined || isRefusal(next)) continue
        assert.ok((MOVES[t.status] as readonly string[]).includes(next.status), `${t.status} to ${next.status}`)
        const waits = awaited(t)
        if (['found', 'offer', 'confirmed'].includes(each.what)) {
          assert.ok(each.isRight)
          assert.ok(waits !== undefined && now <= waits.answerBy)
        }
        if (next.status === 'init-asked')
          assert.ok(next.chosen[0]?.careContexts.every(({ referenceNumber }) => referenceNumber !== 'c'))
        if (next.status === 'linked' && t.status === 'confirm-asked') {
          const chosen = new Set(t.chosen[0]?.careContexts.map(({ referenceNumber }) => referenceNumber))
          assert.ok(next.linked[0]?.careContexts.every(({ referenceNumber }) => chosen.has(referenceNumber)))
        }
        assert.ok(next.status === 'confirm-asked' || !JSON.stringify(next).includes('123456'))
        assert.ok(!JSON.stringify(withoutSecrets(next)).includes('123456'))
        t = next
      }
    }),
    { numRuns: 2_000 },
  )
})

test('every state of the table can be reached', () => {
  const reached = new Set<string>([start.status])
  const found = takeFound(start, start.sentRequest, { result: { found: [group(['a'])], matchedBy: [] } }, NOW)
  assert.ok(!isRefusal(found))
  const chosen = choose(found, { chosen: [group(['a'])], askedByRequest: 'r', sentRequest: request(1) }, NOW)
  assert.ok(!isRefusal(chosen))
  const expiry = new Date(NOW.getTime() + 1_000).toISOString()
  const offer = takeOffer(
    chosen,
    request(1),
    {
      result: {
        referenceNumber: 'x',
        authenticationType: 'DIRECT',
        communicationMedium: 'EMAIL',
        communicationExpiry: expiry,
      },
    },
    NOW,
  )
  assert.ok(!isRefusal(offer))
  const asked = confirm(offer, { otp: '1', askedByRequest: 'r', sentRequest: request(2) }, NOW)
  assert.ok(!isRefusal(asked))
  const linked = takeConfirmation(asked, request(2).toUpperCase(), { result: [group(['a'])] }, NOW)
  assert.ok(!isRefusal(linked))
  const failed = giveUp(start, 'discover', { code: 'x', message: 'y' })
  for (const t of [found, chosen, offer, asked, linked, failed]) reached.add(t?.status ?? '')
  assert.deepEqual([...reached].sort(), Object.keys(MOVES).sort())
})
