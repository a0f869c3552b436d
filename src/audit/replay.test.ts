import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { disagreements, type LoggedEvent, type ReadEvent, type Replay, replay, stands, textOf } from './replay.ts'

const actor = { kind: 'system', id: 'test' } as const
const LAMP: Pick<Replay, 'kind' | 'named' | 'says' | 'settle'> = {
  kind: 'lamp',
  named: 'by id',
  says: {
    'lamp.bought': (event) => stands({ light: 'off', colour: textOf(event, 'colour') })(event),
    'lamp.lit': stands({ light: 'on' }),
    'lamp.broken': stands({ light: undefined, broken: 'yes' }),
  },
}
let count = 0
const event = (type: string, subject: string, more: object = {}): LoggedEvent => ({
  id: `event-${++count}`,
  event: { type, actor, subject, ...more } satisfies ReadEvent,
})
const row = (id: string, standing: Record<string, string>) => ({ id, version: '7', ...standing })
const check = (events: readonly LoggedEvent[], rows: readonly ReturnType<typeof row>[], kind = LAMP) =>
  disagreements(kind, replay(kind, events), rows).map(({ name, what, detail }) => ({ name, what, detail }))

describe('audit/replay', () => {
  test('rows that are what the events made of them agree, also where a row says more', () => {
    const events = [event('lamp.bought', 'a', { colour: 'red' }), event('lamp.bought', 'b'), event('lamp.lit', 'b')]
    assert.deepEqual(
      check(events, [row('a', { light: 'off', colour: 'red' }), row('b', { light: 'on', colour: 'blue' })]),
      [],
    )
  })

  test('the later event counts, not the greater id', () => {
    const lit = event('lamp.lit', 'a')
    const bought = event('lamp.bought', 'a')
    assert.deepEqual(check([lit, bought], [row('a', { light: 'off' })]), [])
  })

  test('a row of before, one that is gone and one that nothing made are told apart', () => {
    const events = [event('lamp.bought', 'a'), event('lamp.lit', 'a'), event('lamp.bought', 'b')]
    const last = events[1]?.id
    assert.deepEqual(check(events, [row('a', { light: 'off' }), row('c', { light: 'on' })]), [
      {
        name: 'a',
        what: 'differs',
        detail: `lamp a: light is off in the row and on in the log, last in event ${last}.`,
      },
      { name: 'c', what: 'nothing recorded it', detail: 'lamp c: there is a row, and no event of the log made it.' },
      {
        name: 'b',
        what: 'is gone',
        detail: `lamp b: the log has it and there is no row, last in event ${events[2]?.id}.`,
      },
    ])
  })

  test('what the log does not tell is not judged', () => {
    const events = [event('lamp.bought', 'a'), event('lamp.lit', 'a'), event('lamp.broken', 'a')]
    assert.deepEqual(check(events, [row('a', { light: 'off', broken: 'yes' })]), [])
    assert.deepEqual(check([event('lamp.painted', 'a')], []), [])
  })

  test('a thing whose id says who the patient is goes by the event', () => {
    const bought = event('lamp.bought', 'asha@sbx')
    const found = check([bought], [row('asha@sbx', { light: 'on' })], { ...LAMP, named: 'by event' })
    assert.deepEqual(
      found.map(({ name }) => name),
      [bought.id],
    )
    assert.ok(!found[0]?.detail.includes('asha'))
  })
})
