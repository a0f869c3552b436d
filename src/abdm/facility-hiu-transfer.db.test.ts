import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import {
  type Asked,
  acknowledgeRequest,
  granted,
  type HiuBench,
  newId,
  openHiuBench,
  PATIENT,
} from '../../test/hiu-bench.ts'
import {
  documentText,
  LOOK,
  lastTransfer,
  notified,
  type PushBody,
  recordsOf,
  sealPage,
} from '../../test/hiu-provider.ts'
import { transact } from '../db/tx.ts'
import { LIMITS } from '../kernel/limits.ts'
import { existingDataKey } from '../vault/data-keys.ts'

describe('a facility receives records', () => {
  let bench: HiuBench
  before(async () => {
    bench = await openHiuBench()
  })
  after(() => bench.close())

  const transfer = (asked: Asked) => lastTransfer(bench, asked)
  const records = (asked: Asked) => recordsOf(bench, asked)
  const told = (asked: Asked) => notified(bench, asked).at(-1)
  const push = (asked: Asked, body: object) => bench.push(asked.dataPushUrl, body)

  it('takes pages in any order and twice, keeps each document byte for byte, and tells the exchange', async () => {
    const asked = await granted(bench)
    const texts = ['visit-1', 'visit-2', 'visit-3'].map((note, i) =>
      documentText(i === 2 ? 'DiagnosticReport' : 'Prescription', { note }),
    )
    const pages = texts.map(
      (text, i) =>
        sealPage(bench, asked, [{ careContext: `visit-${i + 1}`, text }], { pageNumber: i + 1, pageCount: 3 }).body,
    )
    const [first, second, third] = pages as [PushBody, PushBody, PushBody]
    assert.equal((await push(asked, third)).status, 202)
    assert.equal((await push(asked, third)).status, 202)
    await bench.drain()
    assert.deepEqual(
      (await transfer(asked)).careContexts.map(({ status }) => status),
      ['missing', 'missing', 'received'],
    )
    assert.equal((await transfer(asked)).pagesMissing, 2)
    await push(asked, first)
    await bench.drain()
    assert.equal(told(asked), undefined)
    await push(asked, second)
    await bench.drain()
    assert.equal((await push(asked, second)).status, 202)
    await bench.drain()
    const ended = await transfer(asked)
    assert.equal(ended.status, 'complete')
    assert.deepEqual(
      ended.pages.flatMap(({ findings }) => findings),
      [],
    )
    const listed = await records(asked)
    assert.deepEqual(
      listed.map(({ status }) => status),
      ['held', 'held', 'held'],
    )
    assert.deepEqual(
      new Set(listed.map(({ sha256 }) => sha256)),
      new Set(texts.map((text) => createHash('sha256').update(text).digest('hex'))),
    )
    const end = told(asked)
    assert.equal(end?.statusNotification.sessionStatus, 'RECEIVED')
    assert.equal(end?.notifier.type, 'HIU')
    assert.equal(end?.transactionId, asked.transactionId)
    assert.deepEqual(
      end?.statusNotification.statusResponses?.map(({ hiStatus }) => hiStatus),
      ['OK', 'OK', 'OK'],
    )
    assert.equal(notified(bench, asked).length, 1)
    const key = await transact(bench.machine, (tx) => existingDataKey(tx, PATIENT, asked.requestId as never))
    assert.equal(key, undefined, 'the private key is gone when all pages came')
  })

  it('counts pages from 0 as well, takes a page without numbers as the only one, and a count of 0 as 1', async () => {
    for (const numbers of [
      [
        { pageNumber: 0, pageCount: 2 },
        { pageNumber: 1, pageCount: 2 },
      ],
      [{}],
      [{ pageNumber: 0, pageCount: 0 }],
      [{ pageNumber: 1, pageCount: 1 }],
    ]) {
      const asked = await granted(bench)
      for (const paging of numbers)
        await push(
          asked,
          sealPage(
            bench,
            asked,
            [{ careContext: 'visit-1', text: documentText('Prescription', { note: JSON.stringify(paging) }) }],
            paging,
          ).body,
        )
      await bench.drain()
      const { status, pages } = await transfer(asked)
      assert.deepEqual([status, pages.length], ['complete', numbers.length], JSON.stringify(numbers))
    }
  })

  it('takes a page before the exchange has named the transaction, and refuses one of another transaction after', async () => {
    const asked = await granted(bench, {}, 'early')
    const page = (pageNumber: number, transactionId = asked.transactionId) => ({
      ...sealPage(
        bench,
        asked,
        [{ careContext: `visit-${pageNumber}`, text: documentText('Prescription', { note: `early ${pageNumber}` }) }],
        { pageNumber, pageCount: 2 },
      ).body,
      transactionId,
    })
    assert.equal((await push(asked, page(1))).status, 202)
    await bench.drain()
    assert.equal((await acknowledgeRequest(bench, asked)).status, 202)
    assert.equal((await transfer(asked)).status, 'receiving')
    assert.equal((await push(asked, page(2, newId(bench.machine)))).status, 409)
    await push(asked, page(2))
    await bench.drain()
    assert.equal((await transfer(asked)).status, 'complete')
    assert.equal(told(asked)?.transactionId, asked.transactionId)
  })

  it('keeps the first of two pages with one number and says that another came', async () => {
    const asked = await granted(bench)
    const page = (note: string) =>
      sealPage(bench, asked, [{ careContext: 'visit-1', text: documentText('Prescription', { note }) }], {
        pageNumber: 1,
        pageCount: 2,
      }).body
    await push(asked, page('kept'))
    await bench.drain()
    assert.equal((await push(asked, page('other'))).status, 202)
    await bench.drain()
    assert.equal((await records(asked)).length, 1)
    assert.match((await transfer(asked)).pages[0]?.findings[0]?.says ?? '', /other content/)
  })

  it('reports what does not open: ciphertext, nonce, key or care context changed anywhere', async () => {
    const asked = await granted(bench)
    const whole = (pageNumber: number): PushBody =>
      sealPage(
        bench,
        asked,
        [{ careContext: 'visit-1', text: documentText('Prescription', { note: `broken ${pageNumber}` }) }],
        { pageNumber, pageCount: 9 },
      ).body
    const bent = (text: string, at: number) =>
      `${text.slice(0, at)}${text[at] === 'A' ? 'B' : 'A'}${text.slice(at + 1)}`
    const content = (body: PushBody) => body.entries[0]?.content ?? ''
    const withContent = (body: PushBody, text: string) => ({
      ...body,
      entries: [{ ...body.entries[0], content: text }],
    })
    const withKey = (body: PushBody, keyValue: string, nonce = body.keyMaterial.nonce) => ({
      ...body,
      keyMaterial: { ...body.keyMaterial, dhPublicKey: { ...body.keyMaterial.dhPublicKey, keyValue }, nonce },
    })
    const bodies = [1, 2, 3, 4, 5, 6, 7, 8].map(whole)
    const [a, b, c, d, e, f, g, h] = bodies as [
      PushBody,
      PushBody,
      PushBody,
      PushBody,
      PushBody,
      PushBody,
      PushBody,
      PushBody,
    ]
    const offCurve = Buffer.concat([Buffer.from([4]), Buffer.alloc(32, 1), Buffer.alloc(32, 2)]).toString('base64')
    const cases: readonly [object, RegExp][] = [
      [withContent(a, bent(content(a), 0)), /crypto\/not-authentic/],
      [withContent(b, bent(content(b), Math.floor(content(b).length / 2))), /crypto\/not-authentic/],
      [withContent(c, bent(content(c), content(c).length - 5)), /crypto\/not-authentic/],
      [withContent(d, '###'), /crypto\/not-authentic/],
      [withKey(e, e.keyMaterial.dhPublicKey.keyValue, bent(e.keyMaterial.nonce, 3)), /crypto\/not-authentic/],
      [withKey(f, f.keyMaterial.dhPublicKey.keyValue, Buffer.alloc(16, 7).toString('base64')), /crypto\/nonce-length/],
      [withKey(g, offCurve), /crypto\/key-off-curve/],
      [withKey(h, Buffer.alloc(32, 9).toString('base64')), /crypto\/key-x25519/],
    ]
    for (const [body] of cases) assert.equal((await push(asked, body)).status, 202)
    await push(
      asked,
      sealPage(bench, asked, [{ careContext: 'visit-2', text: documentText('Prescription', { note: 'whole' }) }], {
        pageNumber: 9,
        pageCount: 9,
      }).body,
    )
    await bench.drain()
    const { pages, careContexts, status } = await transfer(asked)
    assert.equal(status, 'complete')
    for (const [i, [, expected]] of cases.entries()) {
      assert.equal(pages[i]?.status, 'failed')
      assert.match(pages[i]?.findings.map(({ says }) => says).join() ?? '', expected)
    }
    assert.deepEqual(
      careContexts.map((context) => context.status),
      ['errored', 'received', 'missing'],
    )
    const responses = told(asked)?.statusNotification.statusResponses ?? []
    assert.deepEqual(
      responses.map(({ careContextReference, hiStatus }) => [careContextReference, hiStatus]),
      [
        ['visit-1', 'ERRORED'],
        ['visit-2', 'OK'],
      ],
    )
    assert.equal((await records(asked)).length, 1)
  })

  it('takes a whole page in place of one that did not open', async () => {
    const asked = await granted(bench)
    const body = sealPage(bench, asked, [{ careContext: 'visit-1', text: documentText() }], {
      pageNumber: 1,
      pageCount: 2,
    }).body
    await push(asked, { ...body, entries: [{ ...body.entries[0], content: 'AAAA' }] })
    await bench.drain()
    assert.equal((await transfer(asked)).pages[0]?.status, 'failed')
    await push(asked, body)
    await bench.drain()
    assert.equal((await transfer(asked)).pages[0]?.status, 'opened')
    assert.equal((await records(asked)).length, 1)
  })

  it('quarantines what is not this patient’s or not in the consent, with the reason, and never shows it', async () => {
    const asked = await granted(bench)
    const items = [
      {
        careContext: 'visit-1',
        text: documentText('Prescription', { person: { abhaAddress: 'ravi@sbx' }, note: 'q1' }),
      },
      { careContext: 'visit-9', text: documentText('Prescription', { note: 'q2' }) },
      { careContext: 'visit-2', text: documentText('OPConsultation', { note: 'q3' }) },
      { careContext: 'visit-2', text: documentText('Prescription', { date: '2019-06-01T10:00:00+05:30', note: 'q4' }) },
      {
        careContext: 'visit-3',
        text: documentText('Prescription', { person: { name: 'Somebody Else' }, note: 'fine' }),
      },
      { careContext: 'visit-3', text: '{"resourceType":"Bundle","type":"collection"}' },
      { careContext: 'visit-3', text: 'not json' },
    ]
    await push(asked, sealPage(bench, asked, items, { pageNumber: 0, pageCount: 1 }).body)
    await bench.drain()
    const listed = await records(asked)
    const reasons = listed.flatMap(({ status, reason }) => (status === 'quarantined' ? [reason] : []))
    assert.deepEqual(
      new Set(reasons),
      new Set([
        'It belongs to another patient: the ABHA identifiers differ.',
        'Its date is outside the dates of the consent.',
        'The consent does not cover the HI type OPConsultation.',
        'The consent does not cover this care context.',
      ]),
    )
    for (const { id, status } of listed) {
      const shown = await bench.native('POST', `/v1/records/${id}/view`, LOOK)
      assert.equal(shown.status, status === 'held' ? 200 : 403)
      assert.equal(shown.text.includes('resourceType'), status === 'held')
    }
    const { careContexts } = await transfer(asked)
    assert.deepEqual(
      careContexts.map(({ careContextReference, status }) => [careContextReference, status]),
      [
        ['visit-1', 'errored'],
        ['visit-2', 'errored'],
        ['visit-3', 'received'],
        ['visit-9', 'errored'],
      ],
    )
    assert.match(careContexts[2]?.reason ?? '', /fhir\/not-a-document/)
    const all = (await bench.native('POST', '/v1/records/view', { patient: PATIENT, ...LOOK })).json as {
      records: { status: string }[]
    }
    assert.ok(all.records.every(({ status }) => status === 'held'))
  })

  it('warns of a wrong checksum and takes none for what it is not', async () => {
    const asked = await granted(bench)
    const items = ['string', 'MD5', '', 'd41d8cd98f00b204e9800998ecf8427e'].map((checksum, i) => ({
      careContext: 'visit-1',
      text: documentText('Prescription', { note: `sum ${i}` }),
      checksum,
    }))
    await push(asked, sealPage(bench, asked, items, {}).body)
    await bench.drain()
    assert.equal((await records(asked)).length, 4)
    assert.deepEqual(
      (await transfer(asked)).pages[0]?.findings.map(({ says }) => says),
      ['The checksum is not that of the document.'],
    )
  })

  it('fetches linked content once, tries again what did not answer, and never goes where it must not', async () => {
    const asked = await granted(bench)
    const items = ['a', 'b', 'c'].map((name) => ({
      careContext: 'visit-1',
      text: documentText('Prescription', { note: `link ${name}` }),
      link: `https://files.example/${name}`,
    }))
    const { body, contents } = sealPage(bench, asked, items, {})
    bench.links.set('https://files.example/a', {
      kind: 'answered',
      status: 200,
      headers: {},
      body: Buffer.from(`"${contents[0]}"\n`),
      tookMs: 1,
    })
    bench.links.set('https://files.example/b', { kind: 'failed', reason: 'no answer in time', tookMs: 1 })
    assert.equal((await push(asked, body)).status, 202)
    await bench.drain()
    assert.equal((await transfer(asked)).pages[0]?.status, 'stored')
    // What was fetched is not fetched again: it would not be there.
    bench.links.delete('https://files.example/a')
    bench.links.set('https://files.example/b', {
      kind: 'answered',
      status: 200,
      headers: {},
      body: Buffer.from(contents[1] ?? ''),
      tookMs: 1,
    })
    bench.clock.advance(10_000)
    await bench.drain()
    assert.equal((await records(asked)).length, 2)
    assert.match((await transfer(asked)).careContexts[0]?.reason ?? '', /a private address/)
  })

  it('keeps the rest of a page when a link never answers, and takes no page with very many links', async () => {
    const asked = await granted(bench)
    const item = (name: string) => ({ careContext: 'visit-1', text: documentText('Prescription', { note: name }) })
    const linked = (name: string) => ({ ...item(name), link: `https://files.example/${name}` })
    const many = Array.from({ length: LIMITS.pushLinksMax + 1 }, (_, i) => linked(`many ${i}`))
    const refused = await push(asked, sealPage(bench, asked, many, {}).body)
    assert.equal(refused.status, 400)
    assert.match(refused.text, /at most 50 links; send more pages/)
    bench.links.set('https://files.example/never', { kind: 'failed', reason: 'no answer in time', tookMs: 30_000 })
    const items = [linked('never'), item('there'), { ...linked('elsewhere'), link: 'https://other.example/x' }]
    const { body, contents } = sealPage(bench, asked, items, {})
    const answered = { kind: 'answered', status: 200, headers: {}, tookMs: 1 } as const
    bench.links.set('https://other.example/x', { ...answered, body: Buffer.from(contents[2] ?? '') })
    assert.equal((await push(asked, body)).status, 202)
    for (let tries = 0; tries <= 2 * LIMITS.jobAttemptsMax; tries += 1) {
      await bench.drain()
      bench.clock.advance(LIMITS.jobRetryDelayMsMax)
    }
    assert.equal((await records(asked)).length, 2)
    assert.match((await transfer(asked)).careContexts[0]?.reason ?? '', /could not be fetched: no answer in time/)
  })

  it('says after 20 minutes what is missing; late pages still count until the key expires', async () => {
    const asked = await granted(bench)
    bench.clock.advance(20 * 60_000)
    await bench.chores()
    await bench.drain()
    assert.equal((await transfer(asked)).status, 'incomplete')
    assert.equal(told(asked)?.statusNotification.sessionStatus, 'FAILED')
    assert.deepEqual(
      told(asked)?.statusNotification.statusResponses?.map(({ hiStatus }) => hiStatus),
      ['ERRORED', 'ERRORED', 'ERRORED'],
    )
    await push(
      asked,
      sealPage(bench, asked, [{ careContext: 'visit-1', text: documentText('Prescription', { note: 'late' }) }], {})
        .body,
    )
    await bench.drain()
    assert.equal((await transfer(asked)).status, 'complete')
    assert.equal(told(asked)?.statusNotification.sessionStatus, 'RECEIVED')
    const second = await granted(bench)
    bench.clock.advance(24 * 3_600_000)
    await bench.chores()
    assert.equal(
      await transact(bench.machine, (tx) => existingDataKey(tx, PATIENT, second.requestId as never)),
      undefined,
    )
    const tooLate = await push(
      second,
      sealPage(bench, second, [{ careContext: 'visit-1', text: documentText() }], {}).body,
    )
    assert.equal(tooLate.status, 410)
    assert.match(tooLate.text, /ABDM-1048/)
  })
})
