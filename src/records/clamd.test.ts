import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, test } from 'node:test'
import pino from 'pino'
import { type FakeClamd, MARK, startFakeClamd } from '../../test/fake-clamd.ts'
import { LIMITS } from '../kernel/limits.ts'
import { makeClamd } from './clamd.ts'
import { attachmentsOf, scanDocument } from './scanner.ts'

const log = pino({ level: 'silent' })
let fake: FakeClamd
describe('records/clamd', () => {
  // One for each test: what a test gave up may still arrive.
  beforeEach(async () => void (fake = await startFakeClamd()))
  afterEach(() => fake.close())

  const scanner = (timeoutSeconds = 30) => makeClamd({ ...fake.place, timeoutSeconds }, log)
  const clean = Buffer.from('a scan of a knee')
  const bad = Buffer.from(`before ${MARK} after`)

  test('what the scanner lets through is clean, what it finds has its name; it sees every byte', async () => {
    assert.deepEqual(await scanner().scan(clean), { kind: 'clean' })
    assert.deepEqual(await scanner().scan(bad), { kind: 'found', name: 'Test-Malware' })
    const large = Buffer.alloc(3 * LIMITS.scanPieceBytes + 17, 'x')
    assert.deepEqual(await scanner().scan(large), { kind: 'clean' })
    const hidden = Buffer.concat([large, Buffer.from(MARK)])
    assert.equal((await scanner().scan(hidden)).kind, 'found', 'also at the very end')
    assert.deepEqual(fake.seen, [clean, bad, large, hidden])
  })

  test('a Unix socket does as well', async () => {
    const path = join(tmpdir(), `amanat-clamd-${process.pid}.sock`)
    const local = await startFakeClamd(path)
    try {
      assert.deepEqual(await makeClamd({ socket: path, timeoutSeconds: 30 }, log).scan(bad), {
        kind: 'found',
        name: 'Test-Malware',
      })
    } finally {
      await local.close()
      rmSync(path, { force: true })
    }
  })

  test('an answer in pieces is an answer; one that is cut, early, late, an error or babble is none', async () => {
    fake.manner = 'in pieces'
    assert.deepEqual(await scanner().scan(clean), { kind: 'clean' })
    for (const [manner, why] of [
      ['cut answer', /hung up/],
      ['hangs up at once', /hung up|ECONNRESET|EPIPE/],
      ['error', /had an error/],
      ['babble', /too long/],
    ] as const) {
      fake.manner = manner
      const asked = scanner()
      const verdict = await asked.scan(clean)
      assert.ok(verdict.kind === 'not-scanned' && verdict.mayTryAgain, `${manner}: ${JSON.stringify(verdict)}`)
      assert.match(verdict.why, why)
      assert.equal(asked.trouble(), 'the malware scanner')
      fake.manner = 'honest'
      assert.equal((await asked.scan(clean)).kind, 'clean')
      assert.equal(asked.trouble(), undefined, 'forgotten when it looks again')
    }
    fake.manner = 'before the end'
    const early = await scanner().scan(Buffer.alloc(40 * 1_048_576))
    assert.equal(early.kind, 'not-scanned', 'nobody has looked at what was not sent yet')
    fake.manner = 'silent'
    const late = await scanner(0.2).scan(clean)
    assert.ok(late.kind === 'not-scanned' && late.mayTryAgain)
    assert.match(late.why, /in time/)
  })

  test('both halves of a doubtful failure: it never looked, or it looked and nobody heard', async () => {
    fake.manner = 'hangs up at once'
    assert.equal((await scanner().scan(bad)).kind, 'not-scanned')
    assert.deepEqual(fake.seen, [])
    fake.manner = 'hangs up when it has all'
    assert.equal((await scanner().scan(clean)).kind, 'not-scanned', 'that it was clean nobody has said')
    assert.deepEqual(fake.seen, [clean])
    const verdict = await makeClamd({ host: '127.0.0.1', port: 9, timeoutSeconds: 30 }, log).scan(clean)
    assert.ok(verdict.kind === 'not-scanned' && verdict.mayTryAgain)
    assert.match(verdict.why, /ECONNREFUSED/)
  })

  test('what is too large for the scanner was not looked at, and asking again is no use', async () => {
    fake.bytesMax = 1_000
    const verdict = await scanner().scan(Buffer.alloc(1_001))
    assert.ok(verdict.kind === 'not-scanned' && !verdict.mayTryAgain)
    assert.match(verdict.why, /StreamMaxLength/)
  })

  test('more than the scanner is given at once are told to come back, not let through', async () => {
    fake.manner = 'silent'
    const asked = scanner(0.3)
    const verdicts = await Promise.all(Array.from({ length: LIMITS.scansAtOnceMax + 1 }, () => asked.scan(clean)))
    assert.ok(verdicts.every(({ kind }) => kind === 'not-scanned'))
    assert.equal(verdicts.filter((one) => one.kind === 'not-scanned' && /busy/.test(one.why)).length, 1)
  })

  test('every attachment of a document is looked at, wherever it stands', async () => {
    const data = (bytes: Buffer) => bytes.toString('base64')
    const document = {
      resourceType: 'Bundle',
      entry: [
        { resource: { resourceType: 'Patient', photo: [{ contentType: 'image/png', data: data(clean) }] } },
        {
          resource: {
            resourceType: 'Binary',
            contentType: 'application/pdf',
            data: `${data(bad).slice(0, 8)}\n${data(bad).slice(8)}`,
          },
        },
        { resource: { resourceType: 'Observation', valueSampledData: { data: '2.5 3 E U' } } },
      ],
    }
    assert.deepEqual(
      attachmentsOf(document)
        .map((bytes) => Buffer.from(bytes).toString())
        .slice(0, 3),
      [clean.toString(), bad.toString(), '2.5 3 E U'],
    )
    const lax = { data: bad.toString('base64url').replace(/^(.{8})/, '$1-_') }
    assert.equal(attachmentsOf(lax).length, 2, 'what is no base64 is looked at as text, and as bytes')
    assert.equal((await scanDocument(scanner(), document))?.refusal.code, 'records/infected')
    assert.equal(await scanDocument(scanner(), { entry: document.entry.slice(0, 1) }), undefined)
    fake.manner = 'error'
    const unsure = await scanDocument(scanner(), document)
    assert.deepEqual([unsure?.refusal.code, unsure?.mayTryAgain], ['records/not-scanned', true])
  })
})
