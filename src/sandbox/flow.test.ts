import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Lane, makeFlow, OUTSIDE, PATIENTS, type Written } from './flow.ts'

const HOSPITAL = 'IN2710000011'
const CLINIC = 'IN2910000022'
const LANES: readonly Lane[] = [
  { id: 'sbx', name: 'Exchange', kind: 'exchange', url: 'http://127.0.0.1:4000' },
  { id: HOSPITAL, name: 'Hospital', kind: 'facility', url: 'http://127.0.0.1:4001', clientId: 'SBX_1' },
  { id: CLINIC, name: 'Clinic', kind: 'facility', url: 'http://127.0.0.1:4002', clientId: 'SBX_2' },
]
const REQUEST = '018f0000-0000-7000-8000-000000000001'
const CONSENT = '018f0000-0000-7000-8000-00000000000c'
let seq = 0

function written(part: Partial<Written>): Written {
  seq++
  return {
    id: `m${seq}`,
    seq,
    at: '2026-11-22T06:30:00.000Z',
    direction: 'out',
    peer: 'exchange',
    method: 'POST',
    path: '/consent/v3/request/init',
    tookMs: 20,
    ...part,
  }
}

test('both sides of a message show as one, whichever comes first, also with the path that only the receiver sees whole', () => {
  const sent = written({ requestId: REQUEST, status: 202, attempt: 1 })
  const got = written({
    direction: 'in',
    peer: 'SBX_1',
    path: '/api/hiecm/consent/v3/request/init',
    requestId: REQUEST,
    status: 202,
    at: '2026-11-22T06:30:00.010Z',
    sentAt: '2026-11-22T06:30:00.000Z',
  })
  for (const order of [
    [sent, got],
    [got, sent],
  ]) {
    const flow = makeFlow(10)
    for (const one of order) flow.add(one.direction === 'out' ? HOSPITAL : 'sbx', LANES, [one])
    const [message, ...more] = flow.after(0)
    assert.deepEqual(more, [])
    assert.equal(message?.id, order[0]?.id, 'the id stays')
    assert.deepEqual([message?.from, message?.to, message?.path], [HOSPITAL, 'sbx', '/consent/v3/request/init'])
    assert.deepEqual(message?.sent, { party: HOSPITAL, message: sent.id })
    assert.deepEqual(message?.received, { party: 'sbx', message: got.id })
    assert.equal(message?.answered, undefined)
    assert.equal(flow.add('sbx', LANES, [got]), false, 'what was seen is not taken twice')
  }
})

test('tries of one REQUEST-ID stay apart: each arrival belongs to the try with its TIMESTAMP, however late it was read', () => {
  const flow = makeFlow(10)
  const first = written({ requestId: REQUEST, error: 'no answer in time', tookMs: 10_000, attempt: 1 })
  const second = written({ requestId: REQUEST, status: 202, at: '2026-11-22T06:30:11.000Z', attempt: 2 })
  const late = { direction: 'in', peer: 'SBX_1', requestId: REQUEST, status: 202 } as const
  flow.add(HOSPITAL, LANES, [first, second])
  flow.add('sbx', LANES, [
    written({ ...late, at: '2026-11-22T06:30:12.000Z', sentAt: '2026-11-22T06:30:00.000Z' }),
    written({ ...late, at: '2026-11-22T06:30:11.010Z', sentAt: '2026-11-22T06:30:11.000Z' }),
  ])
  const messages = flow.after(0)
  assert.deepEqual(
    messages.map(({ attempt, error, status, answered }) => [attempt, error ?? status, answered]),
    [
      [1, 'no answer in time', 202],
      [2, 202, undefined],
    ],
  )
})

test('a push is paired by transaction, page and time; two tries of a page are two messages', () => {
  const flow = makeFlow(10)
  const push = { path: '/api/v3/hiu/data/(43 characters, not kept)', body: { transactionId: CONSENT, pageNumber: 1 } }
  const inward = { ...push, direction: 'in', peer: 'anonymous', status: 202 } as const
  flow.add(CLINIC, LANES, [written({ ...inward }), written({ ...inward, at: '2026-11-22T06:30:05.000Z' })])
  flow.add(HOSPITAL, LANES, [
    written({ ...push, peer: CLINIC, error: 'ECONNRESET' }),
    written({ ...push, peer: '127.0.0.1:4002', status: 202, at: '2026-11-22T06:30:04.990Z' }),
  ])
  const messages = flow.after(0)
  assert.equal(messages.length, 2)
  for (const { from, to, sent, received } of messages) {
    assert.deepEqual([from, to], [HOSPITAL, CLINIC])
    assert.ok(sent && received)
  }
  assert.deepEqual(messages[0]?.answered, 202)
})

test('who stands outside: a patient’s app, a stranger, one that asks for a session', () => {
  const flow = makeFlow(10)
  const inward = { direction: 'in' } as const
  flow.add('sbx', LANES, [
    written({ ...inward, peer: 'asha.rao@sbx', path: '/api/hiecm/consent/v3/revoke' }),
    written({ ...inward, peer: 'unknown' }),
    written({ ...inward, peer: 'anonymous', path: '/api/hiecm/gateway/v3/sessions', body: { clientId: 'SBX_2' } }),
  ])
  assert.deepEqual(
    flow.after(0).map(({ from }) => from),
    [PATIENTS, OUTSIDE, CLINIC],
  )
})

test('readers go on where they stopped and hear of a message again when its other side comes; old ones are let go', () => {
  const flow = makeFlow(3)
  const requestIds = [1, 2, 3, 4].map((n) => REQUEST.replace(/1$/, String(n)))
  flow.add(
    HOSPITAL,
    LANES,
    requestIds.map((requestId) => written({ requestId, status: 202 })),
  )
  assert.deepEqual(
    flow.after(0).map(({ requestId }) => requestId),
    requestIds.slice(1),
  )
  const known = flow.revision()
  assert.deepEqual(flow.after(known), [])
  flow.add('sbx', LANES, [written({ direction: 'in', peer: 'SBX_1', requestId: requestIds[2] ?? '', status: 202 })])
  const [changed, ...others] = flow.after(known)
  assert.deepEqual(others, [])
  assert.ok(changed?.received)
})

test('a message belongs to the ids and people of its body and answer, not to the care contexts that consents share', () => {
  const flow = makeFlow(10)
  flow.add('sbx', LANES, [
    written({
      direction: 'in',
      peer: 'SBX_1',
      requestId: REQUEST,
      body: {
        consent: { patient: { id: 'asha.rao@sbx' }, hip: { id: HOSPITAL } },
        careContexts: [{ careContextReference: '018f0000-0000-7000-8000-0000000000cc' }],
      },
      answer: JSON.stringify({ consentArtefacts: [{ id: CONSENT }] }),
    }),
  ])
  const [message] = flow.after(0)
  assert.deepEqual(message?.ids, [REQUEST, CONSENT])
  assert.deepEqual(message?.patients, ['asha.rao@sbx'])
})
