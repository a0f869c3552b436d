import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { openAttachment } from '../web/ui/record/attachment-file.ts'
import { roundSteps, timeSteps } from '../web/ui/record/chart-scale.ts'

const PNG = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a)
const base64 = (bytes: string | Uint8Array): string => Buffer.from(bytes).toString('base64')
const file = (contentType: string, data: string, title = 'Letter') =>
  openAttachment({ contentType, data, title, bytes: 0 })

describe('files of documents', () => {
  test('a type is what the first bytes say, never what the sender calls it', () => {
    const page = '<html><script>alert(1)</script></html>'
    const drawing = '<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'
    for (const [claimed, content] of [
      ['application/pdf', page],
      ['image/png', page],
      ['image/svg+xml', drawing],
      ['text/html', page],
    ] as const) {
      const { kind, blob, isMisnamed } = file(claimed, base64(content))
      assert.deepEqual([kind, blob?.type], ['other', 'application/octet-stream'], claimed)
      assert.equal(isMisnamed, claimed !== 'text/html')
    }
    assert.deepEqual(
      [file('text/html', base64(PNG)).kind, file('text/html', base64(PNG)).blob?.type],
      ['image', 'image/png'],
    )
    assert.equal(file('application/pdf', base64('%PDF-1.4 …')).kind, 'pdf')
  })

  test('base64 of the web, and what is none', () => {
    const bytes = Uint8Array.of(...PNG, 0xfb, 0xff)
    const url = base64(bytes).replaceAll('+', '-').replaceAll('/', '_')
    assert.equal(file('image/png', url).blob?.size, bytes.length)
    for (const bad of ['', '???', '%'])
      assert.deepEqual([file('image/png', bad).kind, file('image/png', bad).blob], ['damaged', undefined])
  })

  test('a name is never a path and never empty', () => {
    assert.equal(file('application/pdf', base64('%PDF-'), '../../etc/passwd').fileName, 'etc passwd.pdf')
    assert.equal(file('application/x-sh', base64('rm'), 'run.sh').fileName, 'run sh.bin')
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (title) => {
        const { fileName } = file('application/pdf', base64('%PDF-'), title)
        assert.match(fileName, /^[^/\\<>:"|?*\p{Cc}]+\.pdf$/u)
      }),
    )
  })
})

describe('axes of charts', () => {
  const value = fc.double({ min: -1e6, max: 1e6, noNaN: true })
  test('round steps cover the values, rise, and are few', () => {
    fc.assert(
      fc.property(value, value, (a, b) => {
        const [from, to] = [Math.min(a, b), Math.max(a, b)]
        fc.pre(to - from > 1e-3)
        const steps = roundSteps(from, to, 5)
        const slack = (to - from) * 1e-9
        assert.ok((steps[0] ?? 0) <= from + slack && (steps.at(-1) ?? 0) >= to - slack)
        assert.ok(steps.length >= 2 && steps.length <= 8, String(steps.length))
        assert.ok(steps.every((step, at) => at === 0 || step > (steps[at - 1] ?? 0)))
      }),
    )
    assert.deepEqual(roundSteps(6.8, 9.2, 5), [6, 7, 8, 9, 10])
    assert.deepEqual(roundSteps(5, 5, 5), [5])
  })

  test('steps of time are first days of months within the chart, and few', () => {
    const time = fc.date({ min: new Date('1950-01-01'), max: new Date('2060-01-01'), noInvalidDate: true })
    fc.assert(
      fc.property(time, time, (a, b) => {
        const [from, to] = [Math.min(a.getTime(), b.getTime()), Math.max(a.getTime(), b.getTime())]
        const steps = timeSteps(from, to, 5)
        assert.ok(steps.length <= 11)
        for (const step of steps) {
          assert.ok(step.time >= from - 1 && step.time <= to)
          assert.equal(new Date(step.time).getUTCDate(), 1)
        }
      }),
    )
    const years = timeSteps(Date.UTC(2018, 11, 1), Date.UTC(2026, 9, 22), 6)
    assert.deepEqual(
      years.map(({ time }) => new Date(time).getUTCFullYear()),
      [2020, 2022, 2024, 2026],
    )
  })
})
