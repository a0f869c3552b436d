import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  type HipStatus,
  type HiuStatus,
  moveProvider,
  moveRecipient,
  type ProviderVerb,
  type RecipientVerb,
} from './transfer.ts'

const PROVIDER_VERBS: readonly ProviderVerb[] = ['acknowledge', 'refuse', 'fail', 'part', 'transfer']
const RECIPIENT_VERBS: readonly RecipientVerb[] = ['fail', 'part', 'receive']

test('every pair of a provider state and a verb', () => {
  const table: Readonly<Record<HipStatus, string>> = {
    REQUESTED: 'ACKNOWLEDGED REFUSED FAILED PARTIAL_TRANSFERRED TRANSFERRED',
    ACKNOWLEDGED: '- REFUSED FAILED PARTIAL_TRANSFERRED TRANSFERRED',
    REFUSED: '- - - PARTIAL_TRANSFERRED TRANSFERRED',
    FAILED: '- - - PARTIAL_TRANSFERRED TRANSFERRED',
    PARTIAL_TRANSFERRED: '- - - - TRANSFERRED',
    TRANSFERRED: '- - - - -',
  }
  for (const [state, row] of Object.entries(table)) {
    assert.equal(PROVIDER_VERBS.map((verb) => moveProvider(state as HipStatus, verb) ?? '-').join(' '), row, state)
  }
})

test('every pair of a recipient state and a verb', () => {
  const table: readonly [HiuStatus | undefined, string][] = [
    [undefined, 'FAILED PARTIAL_RECEIVED RECEIVED'],
    ['FAILED', '- PARTIAL_RECEIVED RECEIVED'],
    ['PARTIAL_RECEIVED', '- - RECEIVED'],
    ['RECEIVED', '- - -'],
  ]
  for (const [state, row] of table)
    assert.equal(RECIPIENT_VERBS.map((verb) => moveRecipient(state, verb) ?? '-').join(' '), row, state ?? 'waiting')
})

test('a transfer that took place is noted, whatever else was said, in any order and any number of times', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...PROVIDER_VERBS), { maxLength: 8 }), fc.nat(8), (verbs, place) => {
      const all = verbs.toSpliced(place, 0, 'transfer')
      assert.equal(
        all.reduce<HipStatus>((state, verb) => moveProvider(state, verb) ?? state, 'REQUESTED'),
        'TRANSFERRED',
      )
    }),
  )
})
