import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, it } from 'node:test'
import pino from 'pino'
import { type FakeClamd, MARK, startFakeClamd } from '../../test/fake-clamd.ts'
import { grant, REFERENCE, sampleOf } from '../../test/hip-bench.ts'
import { useTransfers } from '../../test/hip-transfers.ts'
import { granted, type HiuBench, openHiuBench } from '../../test/hiu-bench.ts'
import { documentText, lastTransfer, notified, recordsOf, sealPage } from '../../test/hiu-provider.ts'
import { transact } from '../db/tx.ts'
import { LIMITS } from '../kernel/limits.ts'
import { must } from '../kernel/refusal.ts'
import { makeClamd } from '../records/clamd.ts'
import { addRecord } from '../records/commands.ts'

let fake: FakeClamd
const starting = startFakeClamd()
describe('abdm/facility-scanner', () => {
  before(async () => void (fake = await starting))
  after(() => fake.close())
  beforeEach(() => {
    fake.manner = 'honest'
    fake.seen.length = 0
  })
  const scanner = async () => makeClamd({ ...(await starting).place, timeoutSeconds: 30 }, pino({ level: 'silent' }))
  const base64 = (text: string): string => Buffer.from(text).toString('base64')

  /** A document of another facility with a picture of the patient in it. */
  function withPicture(note: string, picture: string): string {
    const document = JSON.parse(documentText('Prescription', { note })) as {
      entry: { resource: Record<string, unknown> }[]
    }
    for (const { resource } of document.entry)
      if (resource['resourceType'] === 'Patient')
        resource['photo'] = [{ contentType: 'image/png', data: base64(picture) }]
    return JSON.stringify(document)
  }

  describe('pages that others send are scanned before anything of them is kept', () => {
    let bench: HiuBench
    before(async () => void (bench = await openHiuBench({ scanner: await scanner() })))
    after(() => bench.close())

    async function pushed(pictures: readonly string[]) {
      const asked = await granted(bench)
      const items = pictures.map((picture, i) => ({
        careContext: `visit-${i + 1}`,
        text: withPicture(`${i}`, picture),
      }))
      const { body } = sealPage(bench, asked, items, { pageNumber: 1, pageCount: 1 })
      assert.equal((await bench.push(asked.dataPushUrl, body)).status, 202)
      await bench.drain()
      return asked
    }

    it('keeps what is clean, and nothing of what holds malware; the sender hears which did not arrive', async () => {
      const asked = await pushed(['a healthy face', MARK])
      const records = await recordsOf(bench, asked)
      assert.deepEqual(
        records.map(({ status }) => status),
        ['held'],
      )
      const { careContexts, pages } = await lastTransfer(bench, asked)
      assert.match(careContexts[1]?.reason ?? '', /^records\/infected/)
      assert.ok(pages[0]?.findings.some(({ says }) => says.startsWith('records/infected')))
      assert.deepEqual(
        notified(bench, asked)
          .at(-1)
          ?.statusNotification.statusResponses?.map(({ hiStatus }) => hiStatus),
        ['OK', 'ERRORED'],
      )
      const seen = fake.seen.map(String)
      assert.ok(seen.includes('a healthy face') && seen.includes(MARK), 'each picture, as bytes')
    })

    it('waits for a scanner that does not answer, and then takes the page', async () => {
      fake.manner = 'hangs up when it has all'
      const asked = await pushed(['a face'])
      assert.deepEqual(await recordsOf(bench, asked), [], 'looked at, but nobody heard: not taken')
      fake.manner = 'honest'
      bench.clock.advance(LIMITS.jobRetryDelayMsMin * 2)
      await bench.drain()
      assert.equal((await recordsOf(bench, asked))[0]?.status, 'held')
    })

    it('takes nothing when all tries are used up', async () => {
      fake.manner = 'cut answer'
      const asked = await pushed(['a face'])
      for (let attempt = 1; attempt < LIMITS.jobAttemptsMax; attempt++) {
        bench.clock.advance(LIMITS.jobRetryDelayMsMax)
        await bench.drain()
      }
      fake.manner = 'honest'
      assert.deepEqual(await recordsOf(bench, asked), [])
      const { careContexts, pages } = await lastTransfer(bench, asked)
      assert.match(careContexts[0]?.reason ?? '', /^records\/not-scanned/)
      assert.equal(pages[0]?.status, 'failed')
    })
  })

  describe('records of our own are scanned when they come in and before they are sent', () => {
    const world = useTransfers(scanner)
    const facts = (picture: string) => {
      const sample = sampleOf('HealthDocumentRecord')
      assert.ok(sample.hiType === 'HealthDocumentRecord')
      const [first] = sample.documents
      assert.ok(first)
      return { ...sample, documents: [{ ...first, data: base64(picture) }] }
    }
    const take = async (reference: string, picture: string) => {
      const patient = { ...facts(picture).patient, mrn: REFERENCE, birthDate: '1980-02-29' }
      const { abhaAddress: _a, abhaNumber: _n, ...rest } = patient
      return world.bench.app.inject({
        method: 'POST',
        url: `/v1/patients/${REFERENCE}/records`,
        headers: { 'idempotency-key': `key-of-${reference}-${fake.manner}` },
        payload: { careContextReference: reference, input: { ...facts(picture), patient: rest } },
      })
    }

    it('refuses a record with malware, and one that nobody could look at; the same is taken when somebody can', async () => {
      const infected = await take('cc-bad', MARK)
      assert.equal(infected.statusCode, 422, infected.body)
      assert.match(infected.body, /records\/infected/)
      fake.manner = 'error'
      const unsure = await take('cc-new', 'a letter')
      assert.equal(unsure.statusCode, 503, unsure.body)
      assert.match(unsure.body, /records\/not-scanned/)
      fake.manner = 'honest'
      const taken = await take('cc-new', 'a letter')
      assert.equal(taken.statusCode, 201, taken.body)
    })

    it('does not send what holds malware, whoever put it there, and waits for a scanner that does not answer', async () => {
      const { patient: _sample, ...sick } = facts(MARK)
      const patient = { ...facts('').patient, mrn: REFERENCE, birthDate: '1980-02-29' }
      const { abhaAddress: _a, abhaNumber: _n, ...about } = patient
      await transact(world.bench.machine, async (tx) =>
        must(
          await addRecord(tx, { kind: 'operator', id: 'desk' }, REFERENCE, {
            careContextReference: 'cc-sick',
            input: { ...sick, patient: about },
          }),
        ),
      )
      const under = await grant(world.bench, {
        careContexts: ['cc-sick', 'cc-new'].map((careContextReference) => ({
          patientReference: REFERENCE,
          careContextReference,
        })),
        hiTypes: ['HealthDocumentRecord'],
      })
      fake.manner = 'hangs up at once'
      await world.ask(under)
      await world.bench.drain()
      assert.equal(world.requester.got.length, 0, 'nothing is sent that nobody has looked at')
      fake.manner = 'honest'
      world.bench.clock.advance(LIMITS.jobRetryDelayMsMin * 2)
      await world.bench.drain()
      assert.deepEqual(
        world.requester.got.map(({ entries }) => entries.map(({ careContextReference }) => careContextReference)),
        [['cc-new']],
      )
      const told = world.told().statusNotification.statusResponses
      const bad = told?.find(({ careContextReference }) => careContextReference === 'cc-sick')
      assert.equal(bad?.hiStatus, 'ERRORED')
      assert.match(bad?.description ?? '', /malware/)
    })
  })
})
