import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import {
  type Asked,
  granted,
  type HiuBench,
  newId,
  openHiuBench,
  PATIENT,
  requested,
  tell,
} from '../../test/hiu-bench.ts'
import {
  documentText,
  LOOK,
  lastTransfer,
  notified,
  recordsOf,
  sealPage,
  transfersOf,
} from '../../test/hiu-provider.ts'
import { transact } from '../db/tx.ts'
import { bucketOf } from '../kernel/bucket.ts'
import { existingDataKey } from '../vault/data-keys.ts'

describe('a facility shows and erases records', () => {
  let bench: HiuBench
  before(async () => {
    bench = await openHiuBench()
  })
  after(() => bench.close())

  const transfer = (asked: Asked) => lastTransfer(bench, asked)
  const records = (asked: Asked) => recordsOf(bench, asked)
  const push = (asked: Asked, body: object) => bench.push(asked.dataPushUrl, body)

  it('shows a document after the gate, with an access record in the same transaction, and tells the exchange who looked', async () => {
    const asked = await granted(bench)
    const text = documentText('Prescription', { note: 'to be seen' })
    await push(asked, sealPage(bench, asked, [{ careContext: 'visit-2', text }], {}).body)
    await bench.drain()
    const [record] = await records(asked)
    assert.ok(record)
    const before = await bench.count('hiu.record-viewed')
    const shown = await bench.native('POST', `/v1/records/${record.id}/view`, LOOK)
    assert.equal(shown.status, 200)
    const body = shown.json as { document: unknown; display: { sections: unknown[] }; findings: unknown[] }
    assert.deepEqual(body.document, JSON.parse(text))
    assert.ok(body.display.sections.length > 0)
    assert.equal(await bench.count('hiu.record-viewed'), before + 1)
    await bench.drain()
    const report = bench.last('/v1/accesses')
    assert.equal(report?.to.kind, 'native')
    assert.deepEqual(report?.body, {
      consentId: asked.consentId,
      at: bench.clock.now().toISOString(),
      ...LOOK,
      what: [{ hiType: 'Prescription', careContextReference: 'visit-2' }],
    })
    const wrongPurpose = await bench.native('POST', `/v1/records/${record.id}/view`, { ...LOOK, purpose: 'DSRCH' })
    assert.equal(wrongPurpose.status, 403)
    assert.equal(await bench.count('hiu.view-denied'), 1)
    assert.equal((await bench.native('POST', `/v1/records/${newId(bench.machine)}/view`, LOOK)).status, 404)
    assert.equal((await bench.native('POST', `/v1/records/${record.id}/view`, { purpose: 'CAREMGT' })).status, 400)
    assert.equal(await bench.count('hiu.record-viewed'), before + 1)
  })

  it('erases on revoke: key, documents and pages are gone, the exchange is told, late pages are refused', async () => {
    const asked = await granted(bench)
    const page = (pageNumber: number) =>
      sealPage(
        bench,
        asked,
        [{ careContext: `visit-${pageNumber}`, text: documentText('Prescription', { note: `gone ${pageNumber}` }) }],
        { pageNumber, pageCount: 3 },
      ).body
    await push(asked, page(1))
    await bench.drain()
    await push(asked, page(2))
    const [record] = await records(asked)
    await tell(bench, asked.exchange, 'REVOKED', [asked.consentId])
    await bench.drain()
    assert.deepEqual(await records(asked), [])
    for (const scope of [asked.consentId, asked.requestId])
      assert.equal(await transact(bench.machine, (tx) => existingDataKey(tx, PATIENT, scope as never)), undefined)
    const left = await bench.machine.db
      .selectFrom('hiu_page')
      .select('number')
      .where('bucket', '=', bucketOf(PATIENT))
      .where('request', '=', asked.requestId)
      .execute()
    assert.deepEqual(left, [])
    const hashes = [record?.sha256]
    assert.deepEqual(bench.last('/v1/erasures')?.body, {
      consentId: asked.consentId,
      erasedAt: bench.clock.now().toISOString(),
      reason: 'REVOKED',
      documents: 1,
      sha256: hashes,
    })
    const { erasures } = (await bench.native('GET', '/v1/erasures')).json as {
      erasures: { artefact: string; documents: number; pages: number }[]
    }
    assert.deepEqual(erasures.map(({ artefact, documents, pages }) => [artefact, documents, pages])[0], [
      asked.consentId,
      1,
      2,
    ])
    const refused = await bench.count('hiu.page-refused')
    const late = await push(asked, page(3))
    assert.equal(late.status, 403)
    assert.match(late.text, /ABDM-1062/)
    assert.equal((await push(asked, page(1))).status, 403)
    assert.equal(await bench.count('hiu.page-refused'), refused + 2)
    assert.deepEqual(await records(asked), [])
    assert.equal((await bench.native('POST', `/v1/records/${record?.id}/view`, LOOK)).status, 404)
    assert.equal((await bench.native('POST', `/v1/consent-requests/${asked.own}/fetch`, {})).status, 409)
    assert.equal((await transfer(asked)).status, 'erased')
  })

  it('erases at dataEraseAt by itself; attests again when the exchange, being late, tells of the end', async () => {
    const eraseAt = new Date(bench.clock.now().getTime() + 3_600_000).toISOString()
    const permission = {
      accessMode: 'VIEW',
      dateRange: { from: '2021-01-01T00:00:00.000Z', to: '2026-11-20T00:00:00.000Z' },
      dataEraseAt: eraseAt,
      frequency: { unit: 'HOUR', value: 1, repeats: 1 },
    }
    const asked = await granted(bench, { permission })
    await push(
      asked,
      sealPage(bench, asked, [{ careContext: 'visit-1', text: documentText('Prescription', { note: 'expires' }) }], {})
        .body,
    )
    await bench.drain()
    const [record] = await records(asked)
    bench.clock.advance(3_600_000)
    assert.equal(
      (await bench.native('POST', `/v1/records/${record?.id}/view`, LOOK)).status,
      403,
      'the gate closes before the chore comes',
    )
    await bench.chores()
    await bench.drain()
    assert.deepEqual(await records(asked), [])
    const attestations = () =>
      bench.sent.filter(
        ({ path, body }) => path === '/v1/erasures' && (body as { consentId: string }).consentId === asked.consentId,
      )
    assert.equal(attestations().length, 1)
    await bench.fail('hiu-erasure', asked.consentId, {
      code: 'consent/still-granted',
      message: 'This consent is still in force',
    })
    const { erasures } = (await bench.native('GET', '/v1/erasures')).json as {
      erasures: { attestationRefused?: string }[]
    }
    assert.match(erasures[0]?.attestationRefused ?? '', /still in force/)
    await tell(bench, asked.exchange, 'EXPIRED', [asked.consentId])
    await bench.drain()
    assert.equal(attestations().length, 2)
    assert.deepEqual(attestations()[1]?.body, attestations()[0]?.body)
    await tell(bench, asked.exchange, 'EXPIRED', [asked.consentId])
    await bench.drain()
    assert.equal(attestations().length, 2)
  })

  it('loses nothing that it acknowledged: killed between 202 and opening, between opening and its commit', async () => {
    const asked = await granted(bench)
    const pages = [0, 1].map(
      (pageNumber) =>
        sealPage(
          bench,
          asked,
          [{ careContext: 'visit-1', text: documentText('Prescription', { note: `kill ${pageNumber}` }) }],
          { pageNumber, pageCount: 2 },
        ).body,
    )
    for (const page of pages) assert.equal((await push(asked, page)).status, 202)
    await bench.die()
    assert.equal((await records(asked)).length, 0)
    await bench.drain()
    assert.equal((await records(asked)).length, 0, 'the lease of the dead worker holds')
    bench.clock.advance(60_001)
    await bench.die()
    bench.clock.advance(60_001)
    await bench.drain()
    assert.equal((await records(asked)).length, 2)
    assert.equal((await transfer(asked)).status, 'complete')
    assert.equal(notified(bench, asked).length, 1)
  })

  it('gives nothing away to who guesses addresses, and takes no malformed page', async () => {
    const asked = await granted(bench)
    const body = sealPage(bench, asked, [{ careContext: 'visit-1', text: documentText() }], {}).body
    const token = asked.dataPushUrl.split('/').at(-1) ?? ''
    const guess = `${token.slice(0, -1)}${token.endsWith('A') ? 'B' : 'A'}`
    for (const wrong of [guess, 'x', `zz${token.slice(2)}`])
      assert.equal((await bench.push(`http://h/api/v3/hiu/data/${wrong}`, body)).status, 404)
    const { content } = body.entries[0] ?? {}
    assert.equal(
      (await push(asked, { ...body, entries: [{ careContextReference: 'visit-1', content, link: 'https://x' }] }))
        .status,
      400,
    )
    assert.equal((await push(asked, { ...body, transactionId: 'x' })).status, 400)
    assert.equal((await push(asked, { ...body, pageNumber: -1 })).status, 400)
    assert.equal((await push(asked, { ...body, keyMaterial: undefined })).status, 400)
    assert.equal((await transfer(asked)).pages.length, 0)
  })

  it('stores nothing readable: neither pages nor documents nor keys', async () => {
    const asked = await granted(bench)
    const text = documentText('Prescription', { note: 'secret-marker' })
    const { body } = sealPage(bench, asked, [{ careContext: 'visit-1', text }], { pageNumber: 1, pageCount: 2 })
    await push(asked, body)
    const read = async () => {
      const bucket = bucketOf(PATIENT)
      const pages = await bench.machine.db
        .selectFrom('hiu_page')
        .select('sealed')
        .where('bucket', '=', bucket)
        .where('request', '=', asked.requestId)
        .execute()
      const documents = await bench.machine.db
        .selectFrom('hiu_document')
        .select('sealed')
        .where('bucket', '=', bucket)
        .where('artefact', '=', asked.consentId)
        .execute()
      return Buffer.concat([...pages, ...documents].map(({ sealed }) => sealed ?? Buffer.alloc(0))).toString('latin1')
    }
    assert.ok((await read()).length > text.length)
    assert.ok(!(await read()).includes(body.entries[0]?.content?.slice(0, 40) ?? '?'))
    await bench.drain()
    assert.ok((await read()).length > text.length)
    assert.ok(!(await read()).includes('secret-marker'))
  })

  it('keeps one copy of a document that a second request brings again', async () => {
    const asked = await granted(bench)
    const item = { careContext: 'visit-1', text: documentText('Prescription', { note: 'twice' }) }
    await push(asked, sealPage(bench, asked, [item], {}).body)
    await bench.drain()
    await bench.native('POST', `/v1/consent-requests/${asked.own}/fetch`, {})
    await bench.drain()
    const again = await requested(bench, asked)
    await push(
      again,
      sealPage(bench, again, [item, { ...item, text: documentText('Prescription', { note: 'new' }) }], {}).body,
    )
    await bench.drain()
    assert.equal((await records(asked)).length, 2)
    // Asked for within one millisecond, whose ids have no order.
    assert.deepEqual(
      (await transfersOf(bench, asked)).map(({ id, status }) => [id, status]),
      [
        [asked.requestId, 'complete'],
        [again.requestId, 'complete'],
      ],
    )
    assert.deepEqual((await transfer(again)).careContexts[0], {
      careContextReference: 'visit-1',
      status: 'received',
      documents: 2,
    })
  })

  it('takes pages that arrive at the same moment, and one page sent twice at the same moment, once each', async () => {
    const asked = await granted(bench)
    const bodies = [1, 2, 3, 4].map((pageNumber) => {
      const text = documentText('Prescription', { note: `at once ${pageNumber}` })
      return sealPage(bench, asked, [{ careContext: 'visit-1', text }], { pageNumber, pageCount: 4 }).body
    })
    const replies = await Promise.all([...bodies, ...bodies].map((body) => push(asked, body)))
    assert.deepEqual(new Set(replies.map(({ status }) => status)), new Set([202]))
    await Promise.all([bench.drain(), bench.drain(), bench.drain()])
    assert.equal((await records(asked)).length, 4)
    assert.equal((await transfer(asked)).status, 'complete')
    assert.equal(notified(bench, asked).length, 1)
  })

  it('erases, and stores no more, when a revocation and a page come at the same moment', async () => {
    const asked = await granted(bench)
    const text = documentText('Prescription', { note: 'race' })
    const { body } = sealPage(bench, asked, [{ careContext: 'visit-1', text }], { pageNumber: 1, pageCount: 2 })
    const [pushed, told] = await Promise.all([
      push(asked, body),
      tell(bench, asked.exchange, 'REVOKED', [asked.consentId]),
    ])
    assert.ok(pushed.status === 202 || pushed.status === 403)
    assert.equal(told.status, 202)
    await bench.drain()
    assert.deepEqual(await records(asked), [])
    assert.equal((await transfer(asked)).pages.length, 0)
    assert.equal(
      await transact(bench.machine, (tx) => existingDataKey(tx, PATIENT, asked.consentId as never)),
      undefined,
    )
  })

  it('erases when a granted consent is denied after all', async () => {
    const asked = await granted(bench)
    const text = documentText('Prescription', { note: 'denied' })
    await push(asked, sealPage(bench, asked, [{ careContext: 'visit-1', text }], {}).body)
    await bench.drain()
    assert.equal((await records(asked)).length, 1)
    await tell(bench, asked.exchange, 'DENIED')
    await tell(bench, asked.exchange, 'GRANTED', [asked.consentId])
    await bench.drain()
    assert.deepEqual(await records(asked), [])
    assert.equal((bench.last('/v1/erasures')?.body as { reason: string } | undefined)?.reason, 'DENIED')
  })
})
