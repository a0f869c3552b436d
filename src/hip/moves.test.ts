import assert from 'node:assert/strict'
import { test } from 'node:test'
import { insistOnTable } from '../../test/moves.ts'
import type { FacilityId, Id } from '../kernel/id.ts'
import { canMove } from '../kernel/moves.ts'
import { isRefusal } from '../kernel/refusal.ts'
import { type ArtefactDetail, type HeldArtefact, MOVES, receive, type Told } from './artefact.ts'
import { CALL_MOVES, PASSWORD_MOVES } from './link.ts'
import { endArtefact } from './store-artefacts.ts'
import { movePassword } from './store-discovery.ts'
import { endCall } from './store-links.ts'
import { movePage, moveTransfer } from './store-transfers.ts'
import { isSettled, PAGE_MOVES, TRANSFER_MOVES } from './transfer.ts'

const RECORDED = { event: {}, id: 'x' } as never
const ID = '00000000-0000-7000-8000-000000000000'
const KEY = { consentId: ID as Id<'artefact'>, transactionId: ID as Id<'transaction'> }

test('the tables of this room are what allows a move', async () => {
  await insistOnTable(CALL_MOVES, (tx, status, to) =>
    endCall(tx, RECORDED, { requestId: ID as Id<'request'>, status }, { status: to, error: '' }),
  )
  await insistOnTable(PASSWORD_MOVES, (tx, status, to) =>
    movePassword(tx, RECORDED, { linkRef: ID as Id<'link'>, status }, { status: to, wrongTries: 1 }),
  )
  await insistOnTable(TRANSFER_MOVES, (tx, from, status) =>
    moveTransfer(tx, RECORDED, KEY, from, { status, outcome: 'FAILED' }),
  )
  await insistOnTable(PAGE_MOVES, (tx, from, status) => movePage(tx, RECORDED, KEY, 1, from, { status, error: '' }))
  await insistOnTable(MOVES, (tx, from, to) => endArtefact(tx, RECORDED, KEY.consentId, from, to))
})

test('a page is settled where its table has no way on', () => {
  const open = (['waiting', 'sending', 'sent', 'failed', 'withheld'] as const).filter((status) => !isSettled(status))
  assert.deepEqual(open, ['waiting', 'sending'])
})

test('what the exchange tells of an artefact changes it only by a move of the table', () => {
  const now = new Date('2026-11-22T00:00:00.000Z')
  const detail: ArtefactDetail = {
    consentId: KEY.consentId,
    patient: { id: 'asha@sbx' as never },
    careContexts: [],
    purpose: { code: 'CAREMGT' },
    hip: { id: 'HIP' as FacilityId },
    hiTypes: [],
    permission: {
      dateRange: { from: now, to: now },
      dataEraseAt: new Date('2027-01-01T00:00:00.000Z'),
      frequency: { unit: 'HOUR', value: 1, repeats: 0 },
    },
  }
  const heldAs: Record<keyof typeof MOVES, HeldArtefact | undefined> = {
    none: undefined,
    GRANTED: { status: 'GRANTED', detail },
    REVOKED: { status: 'REVOKED', detail, endedAt: now },
    EXPIRED: { status: 'EXPIRED', detail, endedAt: now },
  }
  for (const from of Object.keys(MOVES) as (keyof typeof MOVES)[])
    for (const status of ['GRANTED', 'REVOKED', 'EXPIRED'] as const) {
      const signed = { detail, raw: {}, signature: 's', verified: true } as const
      const told: Told = { status, consentId: KEY.consentId, signed }
      const reception = receive(heldAs[from], told, 'HIP' as FacilityId, now)
      assert.ok(!isRefusal(reception))
      assert.equal('status' in reception, canMove(MOVES, from, status), `${from} to ${status}`)
    }
})
