import assert from 'node:assert/strict'
import { test } from 'node:test'
import { insistOnTable } from '../../test/moves.ts'
import { SHARE_MOVES } from './share.ts'
import { updateShare } from './share-store.ts'
import { EVENT_MOVES, moveSubscription, SUBSCRIPTION_MOVES, type SubscriptionVerb } from './subscription.ts'
import { updateEvent, updateSubscription } from './subscription-store.ts'
import { MOVES } from './transaction.ts'
import { updateTransaction } from './transaction-store.ts'

const RECORDED = { event: { patient: 'asha@sbx', subject: 'x' } } as never
const OF_ASHA = { id: '00000000-0000-7000-8000-000000000000', patient: 'asha@sbx' }

test('the tables of this room are what allows a move', async () => {
  await insistOnTable(SHARE_MOVES, (tx, from, status) =>
    updateShare(tx, RECORDED, from, { ...OF_ASHA, status } as never),
  )
  await insistOnTable(SUBSCRIPTION_MOVES, (tx, from, status) =>
    updateSubscription(tx, RECORDED, from, { ...OF_ASHA, status } as never),
  )
  await insistOnTable(EVENT_MOVES, (tx, from, to) => updateEvent(tx, RECORDED, from, to))
  await insistOnTable(MOVES, (tx, from, status) =>
    updateTransaction(tx, RECORDED, { ...OF_ASHA, status: from } as never, { ...OF_ASHA, status } as never),
  )
})

test('each verb is taken in the states that have it', () => {
  const taken: Record<SubscriptionVerb, readonly string[]> = {
    grant: ['requested'],
    deny: ['requested'],
    change: ['granted', 'revoked'],
    revoke: ['granted'],
    resume: ['revoked'],
  }
  for (const [verb, statuses] of Object.entries(taken))
    for (const status of ['requested', 'granted', 'revoked', 'denied'] as const)
      assert.equal(moveSubscription(status, verb as SubscriptionVerb) !== undefined, statuses.includes(status), verb)
})
