import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { Obj } from '../json.ts'
import { deidentify } from './document.ts'
import type { Mode } from './project.ts'
import { type Order, reviewHash } from './work.ts'

const order = (mode: Mode, more: Partial<Order> = {}): Order => ({
  mode,
  project: { id: 'diabetes-2026', key: new Uint8Array(32).fill(7) },
  patient: 'meena.test@sbx',
  now: new Date('2026-11-22T00:00:00Z'),
  reviewed: new Set(),
  ...more,
})

describe('de-identification: numbers', () => {
  test('a number without a unit that could be a PIN code, a telephone number or a date does not stay; one with a unit does', () => {
    const bare = fc.oneof(
      fc.integer({ min: 110_001, max: 999_999 }),
      fc.integer({ min: 2_000_000, max: 99_999_999 }),
      fc
        .date({ min: new Date('1900-01-01'), max: new Date('2030-01-01'), noInvalidDate: true })
        .chain((date) => {
          const [year = '', month = '', day = ''] = date.toISOString().slice(0, 10).split('-')
          return fc.constantFrom(year + month + day, day + month + year, `9${day}${month}${year.slice(2)}`).map(Number)
        })
        .filter((number) => number >= 1e6),
    )
    const left = (mode: Mode, resource: Obj) =>
      JSON.stringify(deidentify({ entry: [{ fullUrl: 'urn:uuid:1', resource }] }, order(mode)).document)
    const observation = { resourceType: 'Observation', status: 'final' }
    const ucum = { system: 'http://unitsofmeasure.org' }
    fc.assert(
      fc.property(bare, fc.nat(3), (number, places) => {
        const planted = number / 10 ** places
        for (const value of [
          { valueInteger: planted },
          { valueQuantity: { value: planted } },
          { valueQuantity: { value: planted, unit: 'Pune' } },
          { valueQuantity: { value: planted, ...ucum, code: '1' } },
          { valueRange: { low: { value: planted }, high: { value: planted } } },
          { referenceRange: [{ low: { value: planted } }] },
          { component: [{ valueQuantity: { value: planted } }] },
        ]) {
          const text = left('safe-harbour', { ...observation, ...value }).replaceAll(/urn:uuid:\S+?"|"id":"\S+?"/g, '')
          assert.ok(
            !text.replaceAll('.', '').includes(String(number)),
            `${planted} survived in ${JSON.stringify(value)}`,
          )
        }
        const withUnit = { ...observation, valueQuantity: { value: number, ...ucum, code: '/uL', unit: '/uL' } }
        assert.ok(left('safe-harbour', withUnit).includes(String(number)), 'a count of cells')
      }),
      { numRuns: 200 },
    )
    const bill = (currency: string) =>
      left('safe-harbour', { resourceType: 'Invoice', status: 'issued', totalNet: { value: 411_001, currency } })
    assert.match(bill('INR'), /411001/)
    assert.doesNotMatch(bill('PIN'), /411001/)
    assert.match(left('limited', { ...observation, valueInteger: 411_001 }), /411001/, 'PIN codes may stay there')
    assert.doesNotMatch(left('limited', { ...observation, valueInteger: 19_740_619 }), /19740619/)
    for (const value of [98, 7.4, 120, 11_000, 0.00123, 99_999])
      assert.ok(left('safe-harbour', { ...observation, valueQuantity: { value } }).includes(String(value)), 'a result')
  })

  test('a text that a reviewer let stay loses numbers that tell, and keeps what was measured', () => {
    const said = (text: string, mode: Mode = 'safe-harbour') =>
      JSON.stringify(
        deidentify(
          { entry: [{ fullUrl: 'urn:uuid:1', resource: { resourceType: 'Observation', valueString: text } }] },
          order(mode, { reviewed: new Set([reviewHash(text)]) }),
        ).document,
      ).match(/"valueString":"(.*?)"/)?.[1]
    for (const telling of [
      '411001',
      '411 001',
      '४११००१',
      '19740619',
      '19061974',
      '190674',
      '19/06/1974',
      '19.6.74',
      '1974-06-19',
      '2553 1234',
      '020-25531234',
      '98765 43210',
      '+91-9876543210',
      '22-7225-4829-5255',
    ])
      for (const [before, after] of [
        ['', ''],
        ['lives at ', ', since then'],
        ['(', ')'],
        ['', ' Lucknow'],
        ['', ' Gujarat'],
        ['', '/Pune'],
        ['', ' / 12'],
      ])
        assert.equal(said(`${before}${telling}${after}`), `${before}***${after}`)
    for (const plain of [
      'BP 120/80, pulse 72, 36.8 C',
      'HbA1c 7.4 % since 2018',
      'platelets 250000 /cumm',
      'platelets 250000/µL, WBC 110000 / mm3',
      'heparin 500000 units',
      'benzathine penicillin 2400000 IU',
      '1-0-1 for 10 days',
      'viral load 1250000 copies/ml',
    ])
      assert.equal(said(plain), plain)
    assert.equal(said('PIN 411001', 'limited'), 'PIN 411001')
    assert.equal(said('call 25531234 on 19/06/1974', 'limited'), 'call *** on ***')
  })
})
