import assert from 'node:assert/strict'
import { test } from 'node:test'
import { canMove, IllegalMove, insistOnMove } from './moves.ts'

const FLAT = { open: ['shut'], shut: [] } as const
const BY_VERB = { open: { shut: 'shut', keep: 'open' }, shut: {} } as const

test('a table allows what it lists, with and without verbs, and nothing else', () => {
  const allowed = (table: typeof FLAT | typeof BY_VERB) =>
    (['open', 'shut'] as const).flatMap((from) =>
      ['open', 'shut', 'gone'].filter((to) => canMove(table, from, to)).map((to) => `${from} ${to}`),
    )
  assert.deepEqual(allowed(FLAT), ['open shut'])
  assert.deepEqual(allowed(BY_VERB), ['open open', 'open shut'])
})

test('a move that no table has is a bug, and is said with both states', () => {
  insistOnMove(FLAT, 'open', 'shut', 'door')
  assert.throws(() => insistOnMove(FLAT, 'shut', 'open', 'door'), new IllegalMove('door: no move from shut to open'))
})
