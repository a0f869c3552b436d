import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import type { FacilityId } from '../kernel/id.ts'
import { LIMITS } from '../kernel/limits.ts'
import { isRefusal, refuse } from '../kernel/refusal.ts'
import { type Door, makeDoor } from './door.ts'
import { type Route, route } from './route.ts'

const doors: Door[] = []
describe('http/door', () => {
  after(() => doors.forEach((door) => door.close()))

  function openDoor(rates: { caller: number; address: number }): {
    readonly door: Door
    readonly pass: (ms: number) => void
  } {
    let now = 0
    const door = makeDoor(rates, () => now)
    doors.push(door)
    return { door, pass: (ms) => void (now += ms) }
  }

  const routeOf = (path: string, auth: 'none' | 'bridge' = 'bridge'): Route =>
    route({
      method: 'GET',
      path,
      summary: '',
      dialect: 'native',
      auth,
      once: false,
      answers: {},
      handle: async () => ({ status: 200 }),
    })
  const ROUTE = routeOf('/v1/things')
  const bridge = (clientId: string) => ({ kind: 'bridge', clientId, facilities: [] as readonly FacilityId[] }) as const
  const from = (ip: string, authorization?: string) => ({
    ip,
    headers: authorization === undefined ? {} : { authorization },
  })

  test('a caller is slowed down wherever it calls from and however many tokens it has; others are not', () => {
    const { door, pass } = openDoor({ caller: 2, address: 1_000 })
    let let_ = 0
    for (let n = 0; n < 50; n++) {
      const call = from(`192.0.2.${n}`, `Bearer ${n % 7}`)
      if (door.turnAway(call, ROUTE) === undefined && door.note(call, bridge('a')) === undefined) let_++
    }
    assert.equal(let_, 10, 'five seconds of its rate at once')
    const other = from('192.0.2.1', 'Bearer other')
    assert.equal(door.turnAway(other, ROUTE), undefined)
    assert.equal(door.note(other, bridge('b')), undefined)
    const again = door.turnAway(from('192.0.2.9', 'Bearer 1'), ROUTE)
    assert.deepEqual([again?.code, again?.retryAfterS], ['request/too-many', 1])
    pass(500)
    assert.equal(door.turnAway(from('192.0.2.9', 'Bearer 1'), ROUTE), undefined)
  })

  test('an address that proves nothing is slowed down; who proved who calls goes on from there', () => {
    const { door } = openDoor({ caller: 1_000, address: 2 })
    const good = from('192.0.2.1', 'Bearer good')
    assert.equal(door.note(good, bridge('a')), undefined)
    for (let n = 0; n < 30; n++) door.note(from('192.0.2.1', `Bearer guess ${n}`), refuse('auth/invalid-token'))
    assert.equal(door.turnAway(from('192.0.2.1', 'Bearer next guess'), ROUTE)?.code, 'request/too-many')
    assert.equal(door.turnAway(good, ROUTE), undefined)
    assert.equal(door.turnAway(from('192.0.2.2', 'Bearer x'), ROUTE), undefined, 'another address')
  })

  test('this machine is a proxy that nobody named: it is not counted', () => {
    const { door } = openDoor({ caller: 1_000, address: 1 })
    for (const ip of ['127.0.0.1', '::1', '::ffff:127.0.0.1'])
      for (let n = 0; n < 30; n++) {
        door.note(from(ip, `Bearer guess ${n}`), refuse('auth/invalid-token'))
        assert.equal(door.turnAway(from(ip), routeOf('/v1/sign-in', 'none')), undefined)
      }
  })

  test('routes that ask for no proof are counted by address; the log is not counted', () => {
    const { door } = openDoor({ caller: 1_000, address: 2 })
    const open = routeOf('/v1/sign-in', 'none')
    const taken = Array.from({ length: 30 }, () => door.turnAway(from('192.0.2.1'), open)).filter(
      (one) => one === undefined,
    )
    assert.equal(taken.length, 10)
    for (let n = 0; n < 100; n++)
      assert.equal(door.turnAway(from('192.0.2.1'), routeOf('/log/tile/*', 'none')), undefined)
  })

  test('when all places are taken the rest is turned away at once, but for the log and for operators', () => {
    const { door } = openDoor({ caller: 1_000, address: 1_000 })
    const leave = Array.from({ length: LIMITS.callsInFlightMax }, () => door.enter(from('192.0.2.1'), ROUTE))
    const refused = door.turnAway(from('192.0.2.1', 'Bearer x'), ROUTE)
    assert.deepEqual([refused?.code, refused?.retryAfterS], ['machine/overloaded', LIMITS.retryAfterOverloadMs / 1_000])
    assert.ok(isRefusal(door.enter(from('192.0.2.1'), ROUTE)), 'nor one whose body took long to come')
    assert.equal(door.turnAway(from('192.0.2.1'), routeOf('/log/checkpoint', 'none')), undefined)
    const operator = from('192.0.2.1', 'Bearer operator')
    door.note(operator, { kind: 'operator', name: 'operator' })
    assert.equal(door.turnAway(operator, ROUTE), undefined)
    const [first] = leave
    if (typeof first === 'function') {
      first()
      first()
    }
    assert.equal(door.inFlight(), LIMITS.callsInFlightMax - 1, 'a place is given back once')
    assert.equal(door.turnAway(from('192.0.2.1'), ROUTE), undefined)
  })
})
