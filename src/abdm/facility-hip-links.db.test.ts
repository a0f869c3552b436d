import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, it } from 'node:test'
import { addTestPatient, type Bench, HIP, openBench, PATIENT, REFERENCE, sampleOf } from '../../test/hip-bench.ts'
import { transact } from '../db/tx.ts'
import { must } from '../kernel/refusal.ts'
import { addPatient, addRecord } from '../records/commands.ts'
import { HIP_FAILURES } from './hip-reactions.ts'
import { contextNotify, generateToken, linkCareContext } from './linking-messages.ts'

const GENERATE = '/v3/token/generate-token'
const LINK = '/hip/v3/link/carecontext'
const CONTEXT_NOTIFY = '/hip/v3/link/context/notify'
const actor = { kind: 'operator', id: 'desk' } as const

describe('a provider links care contexts', () => {
  let bench: Bench
  before(async () => {
    bench = await openBench()
    await addTestPatient(bench)
    await bench.drain()
  })
  beforeEach(() => {
    bench.sent.length = 0
    bench.texts.length = 0
  })
  after(() => bench.close())

  const operate = async (method: 'GET' | 'POST', url: string, payload?: object) => {
    const answer = await bench.app.inject({ method, url, ...(payload === undefined ? {} : { payload }) })
    return {
      status: answer.statusCode,
      body: answer.body === '' ? undefined : (answer.json() as never as Record<string, never>),
    }
  }
  const start = async (reference = REFERENCE) => operate('POST', `/v1/patients/${reference}/link`)
  const answerToken = async (extra: object = { linkToken: 'jwt-1' }) => {
    await bench.callback('/api/v3/hip/token/on-generate-token', {
      abhaAddress: PATIENT,
      ...extra,
      response: { requestId: bench.last(GENERATE)?.requestId },
    })
    await bench.drain()
  }
  const answerLink = async (
    extra: object = { status: 'Successfully Linked care context' },
    requestId = bench.last(LINK)?.requestId,
  ) => {
    await bench.callback('/api/v3/link/on_carecontext', { abhaAddress: PATIENT, ...extra, response: { requestId } })
    await bench.drain()
  }
  const linked = async () =>
    ((await operate('GET', `/v1/patients/${REFERENCE}`)).body as never as { linkedCareContexts: string[] })
      .linkedCareContexts

  it('asks for a token, links by it, asks anew when it is refused, and uses it again for later contexts', async () => {
    assert.equal((await start()).status, 202)
    await bench.drain()
    const token = bench.last(GENERATE)
    assert.deepEqual(generateToken.parse(token?.body), {
      abhaAddress: PATIENT,
      abhaNumber: '91000000009999',
      name: 'Meena Test',
      gender: 'F',
      yearOfBirth: 1980,
    })
    assert.equal(token?.headers['X-HIP-ID'], HIP)
    await answerToken()
    const link = bench.last(LINK)
    const body = linkCareContext.parse(link?.body)
    assert.equal(link?.headers['X-LINK-TOKEN'], 'jwt-1')
    assert.deepEqual(
      body.patient
        .toSorted((a, b) => (a.hiType < b.hiType ? -1 : 1))
        .map(({ hiType, count, careContexts }) => [hiType, count, careContexts.map((one) => one.display)]),
      [
        ['Invoice', 1, ['Invoice of 12 Jan 2026']],
        ['Prescription', 1, ['Prescription of 12 Jan 2026']],
      ],
    )
    await answerLink({
      status: 'Failed to link care context',
      error: { code: 'ABDM-1026', message: 'Invalid Link Token' },
    })
    assert.equal(bench.sent.filter(({ path }) => path === GENERATE).length, 2, 'a refused token is replaced')
    await answerToken({ linkToken: 'jwt-2' })
    assert.equal(bench.last(LINK)?.headers['X-LINK-TOKEN'], 'jwt-2')
    await answerLink()
    assert.deepEqual(await linked(), ['cc-1', 'cc-2'])
    bench.sent.length = 0
    await transact(bench.machine, async (tx) =>
      must(await addRecord(tx, actor, REFERENCE, { careContextReference: 'cc-3', input: sampleOf('WellnessRecord') })),
    )
    await start()
    await bench.drain()
    assert.equal(bench.last(GENERATE), undefined, 'the token is kept')
    assert.deepEqual(
      linkCareContext
        .parse(bench.last(LINK)?.body)
        .patient.flatMap(({ careContexts }) => careContexts.map((one) => one.referenceNumber)),
      ['cc-3'],
    )
    await answerLink()
    await answerLink({ status: 'Failed to link care context', error: { code: 'ABDM-1057', message: 'late' } })
    assert.deepEqual(await linked(), ['cc-1', 'cc-2', 'cc-3'], 'an answer counts once')
    const page = async (words: string) => {
      const { body } = await operate('GET', `/v1/patients/${REFERENCE}?${words}`)
      const { linkedCareContexts, linkedCount, next } = body as Record<string, unknown>
      return [linkedCareContexts, linkedCount, next]
    }
    assert.deepEqual(await page('limit=2'), [['cc-1', 'cc-2'], 3, 'cc-2'])
    assert.deepEqual(await page('limit=2&after=cc-2'), [['cc-3'], 3, undefined])
    assert.equal(
      (
        await bench.machine.db
          .selectFrom('hip_link_token')
          .select('sealed')
          .where('bucket', '>=', 0)
          .executeTakeFirstOrThrow()
      ).sealed.includes('jwt-2'),
      false,
    )
  })

  it('tells of new data in a linked context, and again after 5, 15 and 60 seconds while the exchange does not know it', async () => {
    await transact(bench.machine, async (tx) =>
      must(await addRecord(tx, actor, REFERENCE, { careContextReference: 'cc-1', input: sampleOf('Prescription') })),
    )
    await transact(bench.machine, async (tx) =>
      must(
        await addRecord(tx, actor, REFERENCE, { careContextReference: 'cc-unlinked', input: sampleOf('Prescription') }),
      ),
    )
    await bench.drain()
    const count = () => bench.sent.filter(({ path }) => path === CONTEXT_NOTIFY).length
    assert.equal(count(), 1)
    const parsed = contextNotify.parse(bench.last(CONTEXT_NOTIFY)?.body).notification
    assert.deepEqual(parsed.careContext, { patientReference: REFERENCE, careContextReference: 'cc-1' })
    for (const [tries, seconds] of [5, 15, 60].entries()) {
      await bench.callback('/api/v3/links/context/on-notify', {
        error: { code: 'ABDM-1006', message: 'No care context linked' },
        response: { requestId: bench.last(CONTEXT_NOTIFY)?.requestId },
      })
      bench.clock.advance((seconds - 1) * 1000)
      await bench.drain()
      assert.equal(count(), tries + 1, `not before ${seconds} seconds`)
      bench.clock.advance(1_000)
      await bench.drain()
      assert.equal(count(), tries + 2)
    }
    await bench.failSend(HIP_FAILURES.call, bench.last(CONTEXT_NOTIFY)?.requestId ?? '', {
      code: 'ABDM-1006',
      message: 'No care context linked',
    })
    bench.clock.advance(3_600_000)
    await bench.drain()
    assert.equal(count(), 4, 'then it is left')
  })

  it('links more than 20 contexts of a type in several messages, and those linked already one by one', async () => {
    await transact(bench.machine, async (tx) => {
      const patient = {
        reference: 'T-2',
        name: 'Many Visits',
        gender: 'male',
        birthDate: '1980-02-29',
        abhaAddress: 'many@sbx',
      } as never
      must(await addPatient(tx, bench.needs, actor, patient))
      for (let i = 0; i < 21; i++) {
        const input = sampleOf('Prescription')
        must(
          await addRecord(tx, actor, 'T-2', {
            careContextReference: `v-${i}`,
            input: {
              ...input,
              patient: { name: 'Many Visits', gender: 'male', birthDate: '1980-02-29', mrn: 'T-2' },
            } as never,
          }),
        )
      }
    })
    await start('T-2')
    await bench.drain()
    await answerToken()
    const messages = bench.sent.filter(({ path }) => path === LINK)
    assert.deepEqual(
      messages.map(({ body }) => linkCareContext.parse(body).patient.map(({ count }) => count)),
      [[20], [1]],
    )
    await answerLink({ error: { code: 'ABDM-1056', message: 'already' } }, messages[1]?.requestId)
    bench.sent.length = 0
    await answerLink({ error: { code: 'ABDM-1056', message: 'already' } }, messages[0]?.requestId)
    assert.equal(bench.sent.filter(({ path }) => path === LINK).length, 20, 'each is asked alone')
    const seen = (await operate('GET', '/v1/patients/T-2')).body as never as { linkedCareContexts: string[] }
    assert.deepEqual(seen.linkedCareContexts.length, 1)
  })

  it('offers a context that holds two types of records under both', async () => {
    await transact(bench.machine, async (tx) => {
      must(
        await addPatient(tx, bench.needs, actor, {
          reference: 'T-4',
          name: 'Two Types',
          gender: 'male',
          birthDate: '1980-02-29',
          abhaAddress: 'two@sbx',
        } as never),
      )
      for (const type of ['Prescription', 'Invoice'] as const) {
        const patient = { name: 'Two Types', gender: 'male', birthDate: '1980-02-29', mrn: 'T-4' }
        must(
          await addRecord(tx, actor, 'T-4', {
            careContextReference: 'both',
            input: { ...sampleOf(type), patient } as never,
          }),
        )
      }
    })
    await start('T-4')
    await bench.drain()
    await answerToken()
    const groups = linkCareContext.parse(bench.last(LINK)?.body).patient
    assert.deepEqual(groups.map(({ hiType }) => hiType).sort(), ['Invoice', 'Prescription'])
    await answerLink()
    const seen = (await operate('GET', '/v1/patients/T-4')).body as never as { linkedCareContexts: string[] }
    assert.deepEqual(seen.linkedCareContexts, ['both'])
  })

  it('refuses to link whom it does not know, or without an ABHA address', async () => {
    assert.equal((await start('nobody')).status, 404)
    await operate('POST', '/v1/patients', {
      reference: 'T-3',
      name: 'No Abha',
      gender: 'female',
      birthDate: '2001-01-01',
      mobile: '+91 90000 00033',
    })
    assert.equal((await start('T-3')).status, 409)
  })
})
