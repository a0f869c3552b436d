import assert from 'node:assert/strict'
import { test } from 'node:test'
import { endOf, type HolderStatus, type HolderVerb, isWaiting, MOVES, moveHolder } from './own-fetch.ts'

const VERBS: readonly HolderVerb[] = ['request', 'take', 'page', 'last-page', 'nothing', 'cut-short', 'fail', 'stop']

test('every pair of a hospital’s state and a verb', () => {
  const table: Readonly<Record<HolderStatus, string>> = {
    asking: 'requested - - - - - failed stopped',
    requested: '- preparing receiving complete empty - failed stopped',
    preparing: '- - receiving complete empty - failed stopped',
    receiving: '- - receiving complete - partial - stopped',
    partial: '- - partial complete - - - stopped',
    empty: '- - receiving complete - - - stopped',
    failed: '- - receiving complete - - - stopped',
    complete: '- - - - - - - stopped',
    stopped: '- - - - - - - -',
  }
  assert.deepEqual(Object.keys(table).toSorted(), Object.keys(MOVES).toSorted())
  for (const [state, row] of Object.entries(table))
    assert.equal(VERBS.map((verb) => moveHolder(state as HolderStatus, verb) ?? '-').join(' '), row, state)
})

test('a page is waited for only where a hospital may still send one soon', () => {
  const waiting = (Object.keys(MOVES) as HolderStatus[]).filter(isWaiting)
  assert.deepEqual(waiting.toSorted(), ['asking', 'preparing', 'receiving', 'requested'])
})

test('the recipient’s side ends as what the page could open', () => {
  const fine = { careContextReference: 'visit-1' }
  const bad = { careContextReference: 'visit-2', fault: 'not-authentic' } as const
  assert.equal(endOf('complete', [fine]), 'RECEIVED')
  assert.equal(endOf('complete', [fine, bad]), 'PARTIAL_TRANSFERRED')
  assert.equal(endOf('partial', [fine]), 'PARTIAL_TRANSFERRED')
  assert.equal(endOf('complete', [bad]), 'FAILED')
  assert.equal(endOf('complete', []), 'FAILED')
  assert.equal(endOf('failed', []), 'FAILED')
  assert.equal(endOf('empty', []), 'RECEIVED')
})
