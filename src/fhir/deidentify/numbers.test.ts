import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { Obj } from '../json.ts'
import { deidentify } from './document.ts'
import { withoutTellingNumbers } from './numbers-in-text.ts'
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
      '98765.43210',
      '98765\u201343210',
      '98765\u201143210',
      '98765\u2212 43210',
      '98765\u200b43210',
      '98765  43210',
      '98765/43210',
      '0522/2345678',
      '(98765) 43210',
      '+91 (987) 654-3210',
      '98765, 43210',
      '98765\u202843210',
      '98 76 54 32 10',
      '98.76.54.32.10',
      '९८७६५.४३२१०',
      '۹۸۷۶۵-۴۳۲۱۰',
      '1234.5678.9012',
      '1234/5678/9012',
      '12-01/1987',
      '12. 1. 1987',
      '1987/01-12',
      '12\u201301\u201387',
      '12 Jan 1987',
      '12th of January, 1987',
      '12-JAN-87',
      '12jan1987',
      'January 12, 1987',
      'Jan 1987',
      '3 May 1987',
      '12 Sept',
      'Oct 2',
      '१२ जनवरी १९८७',
      '12 फ\u093cरवरी 1987',
      '12 जून',
      '۱۲ جنوری ۱۹۸۷',
      '12 نومبر',
    ])
      for (const [before, after] of [
        ['', ''],
        ['lives at ', ', since then'],
        ['(', ')'],
        ['', ' Lucknow'],
        ['', ' Gujarat'],
        ['', '/Pune'],
        ['', ' / ward 12'],
        ['Tel.', '.'],
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
      'Hb 11.2 g/dL, MCV 88.5, p = 0.00012',
      'platelets 1,50,000 /µL',
      'platelets 1,50,000; later 250,000',
      'BP 120/80, 130/85, 140/90 at night',
      'BP 120/80 98 % on air',
      'sugar 110, 145, 160, 152',
      'sugar 100-150 mg/dl',
      'creatinine 1.2. 24 beats more, 110/70',
      'may take 2 tablets, marching 10 minutes, 2 may be missed',
      'since 2018, not 1 of 5 in the decade',
      'dose 3.5-50 units',
    ])
      assert.equal(said(plain), plain)
    assert.equal(said('PIN 411001', 'limited'), 'PIN 411001')
    assert.equal(said('call 25531234 on 19/06/1974', 'limited'), 'call *** on ***')
    assert.equal(said('call 98765.43210, born 12 Jan 1987', 'limited'), 'call ***, born ***')
  })

  test('a long text of digits and signs is read in a moment', () => {
    for (const pump of ['1', '1 ', '12/', '1,50,000, ', '12 jan ', '12 - ', '(', '. ', '0.', '98.', '12 \n', 'may'])
      for (const end of ['', 'x', '\u0000']) {
        // The time that the work takes, not that in which others have the processor.
        const began = process.threadCpuUsage()
        withoutTellingNumbers(pump.repeat(20_000) + end, 'safe-harbour')
        const { user, system } = process.threadCpuUsage(began)
        const tookMs = (user + system) / 1_000
        // Some 5 ms; what is not linear takes minutes.
        assert.ok(tookMs < 2_000, `${pump} took ${Math.round(tookMs)} ms`)
      }
  })
})
