import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { LIMITS } from '../kernel/limits.ts'
import { attachmentsOf, scanInCall, type Verdict } from './scanner.ts'

const document = { photo: [{ data: 'QUJD' }, { data: 'REVG' }, { data: 'R0hJ' }] }
const clean: Verdict = { kind: 'clean' }

describe('records/scanner', () => {
  test('a call waits for all attachments together only so long; what nobody has looked at by then is not taken', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const seen: string[] = []
    const scan = (bytes: Uint8Array): Promise<Verdict> => {
      seen.push(Buffer.from(bytes).toString())
      return seen.length === 1 ? Promise.resolve(clean) : Promise.withResolvers<Verdict>().promise
    }
    const waiting = scanInCall({ scan }, document)
    while (seen.length < 2) await Promise.resolve()
    t.mock.timers.tick(LIMITS.scanInCallMsMax)
    const unsafe = await waiting
    assert.equal(unsafe?.refusal.code, 'records/not-scanned')
    assert.equal(unsafe.mayTryAgain, true)
    assert.deepEqual(seen, ['ABC', 'DEF'], 'the rest is not begun')
    assert.equal(await scanInCall({ scan: async () => clean }, document), undefined)
  })

  test('what is no base64 is looked at in both ways in which somebody may read it', () => {
    assert.deepEqual(attachmentsOf({ data: 'Q UJD' }).map(String), ['ABC'])
    assert.deepEqual(attachmentsOf({ deep: [{ data: 'X5O!P%' }] }).map(String), [
      'X5O!P%',
      String(Buffer.from('X5OP', 'base64')),
    ])
  })
})
