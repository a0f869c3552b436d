import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { ShownDocument } from './show.ts'
import { rowOf } from './show-rows.ts'
import { resultSeries, type Source, seriesFor } from './trends.ts'

type Json = { readonly [key: string]: unknown }
const LOINC = 'http://loinc.org'

/** A document that holds these resources. */
function documentOf(resources: readonly Json[], rest: Partial<ShownDocument> = {}): ShownDocument {
  const rows = resources.map((resource) => rowOf(resource, () => undefined))
  return {
    title: 'T',
    authors: [],
    writers: [],
    isSubset: false,
    others: [],
    sections: [{ title: 'S', rows }],
    ...rest,
  }
}

type Told = {
  readonly name: string
  readonly code?: string
  readonly value: number
  readonly unit: string
  readonly at: string
  readonly status?: string
}

const observation = ({ name, code, value, unit, at, status = 'final' }: Told): Json => ({
  resourceType: 'Observation',
  status,
  code: { text: name, ...(code && { coding: [{ system: LOINC, code }] }) },
  effectiveDateTime: at,
  valueQuantity: { value, unit },
})
const source = (origin: string, ...told: Told[]): Source<string> => ({
  origin,
  document: documentOf(told.map(observation)),
})
const hba1c = { name: 'HbA1c', code: '4548-4', unit: '%' }

describe('resultSeries', () => {
  test('years of one result from several places are one series, oldest first', () => {
    const [series, ...more] = resultSeries([
      source('b', { ...hba1c, value: 7.1, at: '2025-06-01' }),
      source('a', { ...hba1c, name: 'Haemoglobin A1c', value: 8.4, at: '2019-03' }),
      source('c', { name: 'hba1c', unit: '%', value: 6.8, at: '2026-01-12T10:30:00+05:30' }),
    ])
    assert.deepEqual(more, [])
    assert.deepEqual(
      series?.points.map(({ value }) => value),
      [8.4, 7.1, 6.8],
    )
    assert.deepEqual(
      series?.points.map(({ from }) => from),
      [['a'], ['b'], ['c']],
    )
    assert.equal(series?.name.words, 'hba1c')
  })

  test('units never mix, and each series names the other', () => {
    const found = resultSeries([
      source('a', { ...hba1c, value: 7.1, at: '2025-06-01' }),
      source('b', { ...hba1c, unit: 'mmol/mol', value: 54, at: '2025-09-01' }),
    ])
    assert.deepEqual(
      found.map(({ unit, otherUnits, points }) => [unit, otherUnits, points.length]),
      [
        ['%', ['mmol/mol'], 1],
        ['mmol/mol', ['%'], 1],
      ],
    )
  })

  test('two codes of one system are two tests, also under one name', () => {
    const found = resultSeries([
      source('a', { name: 'Glucose', code: '1558-6', unit: 'mg/dL', value: 99, at: '2025-06-01' }),
      source('b', { name: 'Glucose', code: '2339-0', unit: 'mg/dL', value: 160, at: '2025-06-01' }),
      source('c', { name: 'Glucose', unit: 'mg/dL', value: 120, at: '2025-06-02' }),
    ])
    assert.equal(found.length, 3)
  })

  test('the same result by two ways is one point with both; what was taken back or has no day is none', () => {
    const once = { ...hba1c, value: 7, at: '2025-06-01' }
    const [series] = resultSeries([
      source('own', once),
      source('received', once),
      source('wrong', { ...hba1c, value: 70, at: '2025-06-01', status: 'entered-in-error' }),
      source('undated', { ...hba1c, value: 9, at: 'last week' }),
      {
        origin: 'withdrawn',
        document: documentOf([observation({ ...once, value: 5 })], { status: 'entered-in-error' }),
      },
    ])
    assert.deepEqual(
      series?.points.map(({ value, from }) => [value, from]),
      [[7, ['own', 'received']]],
    )
  })

  test('the parts of a measurement are series of their own', () => {
    const part = (name: string, code: string, value: number) => ({
      code: { text: name, coding: [{ system: LOINC, code }] },
      valueQuantity: { value, unit: 'mmHg' },
    })
    const pressure = {
      resourceType: 'Observation',
      status: 'final',
      code: { text: 'Blood pressure' },
      effectiveDateTime: '2026-01-12',
      component: [part('Systolic', '8480-6', 142), part('Diastolic', '8462-4', 90)],
    }
    const found = resultSeries([{ origin: 'x', document: documentOf([pressure]) }])
    assert.deepEqual(
      found.map(({ name, points }) => [name.words, points[0]?.value]),
      [
        ['Blood pressure: Diastolic', 90],
        ['Blood pressure: Systolic', 142],
      ],
    )
  })

  const told = fc.record({
    name: fc.constantFrom('HbA1c', 'hba1c', 'Glucose', 'Glucose, fasting'),
    code: fc.constantFrom(undefined, '4548-4', '1558-6', '2339-0'),
    unit: fc.constantFrom('%', 'mg/dL', 'mg/dl', 'mmol/L'),
    value: fc.integer({ min: 1, max: 9 }),
    at: fc.constantFrom('2024-01-01', '2025', '2025-06-01T10:00:00Z', '2026-02'),
  })
  const toldOnce = told.map(({ code, ...rest }): Told => ({ ...rest, ...(code && { code }) }))

  test('no order of documents changes it; no point is lost, made up or put under another unit', () => {
    fc.assert(
      fc.property(fc.array(toldOnce, { maxLength: 12 }), fc.nat(), (all, turn) => {
        const sources = all.map((one, at) => source(String(at), one))
        const found = resultSeries(sources)
        const turned = turn % Math.max(1, all.length)
        const again = resultSeries([...sources.slice(turned), ...sources.slice(0, turned)].reverse())
        const plain = (series: typeof found) =>
          series.map(({ key, points }) => [key, points.map(({ time, value, from }) => [time, value, [...from].sort()])])
        assert.deepEqual(plain(again), plain(found))
        const seen = found.flatMap(({ points }) => points.flatMap(({ from }) => from))
        assert.deepEqual(seen.sort(), all.map((_, at) => String(at)).sort())
        for (const { points } of found) {
          const units = new Set(points.flatMap(({ from }) => from.map((at) => all[Number(at)]?.unit.toLowerCase())))
          assert.equal(units.size, 1)
          assert.ok(points.every(({ time }, at) => at === 0 || time >= (points[at - 1]?.time ?? 0)))
        }
      }),
    )
  })

  test('seriesFor finds the series that holds the very point', () => {
    const all = resultSeries([
      source(
        'a',
        { ...hba1c, value: 7.1, at: '2025-06-01' },
        { ...hba1c, unit: 'mmol/mol', value: 54, at: '2025-06-01' },
      ),
    ])
    const facts = { name: { words: 'HbA1c', codes: [] }, unit: 'mmol/mol', number: 54 }
    assert.equal(seriesFor(all, facts, '2025-06-01')?.unit, 'mmol/mol')
    assert.equal(seriesFor(all, facts, '2025-06-02'), undefined)
  })
})
