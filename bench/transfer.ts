// Documents from one facility to another: from the request for health information to "opened, checked, stored, all pages acknowledged",
// between an exchange and two facilities that talk HTTP, against posting the same bytes, unsealed and unchecked, to a bare node:http
// server that writes them into PostgreSQL. Also the whole flow from asking for consent to showing the data.
// Run: node bench/transfer.ts
import { randomBytes, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type pg from 'pg'
import { Agent, request } from 'undici'
import { buildDocument } from '../src/fhir/build/document.ts'
import type { DocumentInput } from '../src/fhir/build/inputs.ts'
import { FacilityDesk } from '../test/facility-desk.ts'
import { at, listAt } from '../test/json-path.ts'
import { type Person, TestNetwork } from '../test/network.ts'
import { PatientApp } from '../test/patient-app.ts'
import { daysFromNow } from '../test/people.ts'
import { cpu, latency, load, ms, perSecond, type Rate, say } from './measure.ts'
import { openConnection, startBenchServer } from './server.ts'

const HIP = 'IN2710000011'
const HIU = 'IN2710000022'
const AT_ONCE = 8
const POLL_MS = 3
const WHOLE_FLOWS = 15
const SIZES = [
  { name: '4 KB', bytes: 4_000, many: 40, rounds: 3, single: 20 },
  { name: '400 KB', bytes: 400_000, many: 16, rounds: 2, single: 8 },
] as const

const personOf = (n: number): Person => ({
  abhaAddress: `bench.p${n}@sbx`,
  abhaNumber: `91${String(n).padStart(12, '0')}`,
  name: `Bench Patient ${n}`,
  gender: 'F',
  birthDate: '1981-01-12',
  mobile: `9${String(n).padStart(9, '0')}`,
})

/** A valid health document record whose attachment fills it up to `bytes`; random, so that nothing is compressed away. */
function makeDocument(person: Person, bytes: number): string {
  const build = (fillBytes: number): string => {
    const input = {
      hiType: 'HealthDocumentRecord',
      patient: {
        name: person.name,
        gender: 'female',
        birthDate: person.birthDate,
        abhaNumber: person.abhaNumber,
        abhaAddress: person.abhaAddress,
        mrn: person.abhaAddress,
      },
      author: { name: 'Dr. Bench', registrationNumber: 'SMP/2000/1', qualification: 'MBBS' },
      organisation: { name: 'Bench Hospital', facilityId: HIP },
      date: daysFromNow(-30).toISOString(),
      title: 'Letter',
      documents: [{ title: 'Scan', contentType: 'application/pdf', data: randomBytes(fillBytes).toString('base64') }],
    } satisfies DocumentInput
    return JSON.stringify(buildDocument(input, { bundleId: randomUUID(), now: new Date(), makeUuid: randomUUID }))
  }
  const least = build(1).length
  return build(Math.max(1, Math.floor(((bytes - least) * 3) / 4)))
}

const stopServer = await startBenchServer()
const network = await TestNetwork.start({ facilities: [HIP, HIU] })
const [hospital, clinic] = [new FacilityDesk(network, HIP), new FacilityDesk(network, HIU)]
const store = await openConnection(network.party(HIU).databaseUrl, AT_ONCE)
let people = 0

/** A new patient with linked documents at the hospital. */
async function patientWith(
  count: number,
  bytes: number,
): Promise<{ readonly person: Person; readonly documents: readonly string[] }> {
  const person = personOf(++people)
  await network.enrol(person)
  await hospital.addPatient(person.abhaAddress, person)
  const documents = Array.from({ length: count }, () => makeDocument(person, bytes))
  for (const [i, document] of documents.entries())
    await hospital.addDocument(person.abhaAddress, `visit-${i}`, document)
  await hospital.link(person.abhaAddress, count)
  return { person, documents }
}

const frequency = { unit: 'HOUR', value: 1, repeats: 1_000 }
const hiTypes = ['HealthDocumentRecord']

/** Asks, grants, and waits for the first transfer, which follows by itself. Gives our id of the consent. */
async function consented(person: Person): Promise<string> {
  const { own, request: asked } = await clinic.ask({ patient: person.abhaAddress, hiTypes, frequency })
  const app = await PatientApp.open(network, person.abhaAddress)
  await app.grant(asked, HIP)
  await clinic.transferred(own)
  return own
}

/** One more request for the data under a consent; resolves when every page is opened and stored. */
async function fetchAgain(own: string): Promise<void> {
  const body = await clinic.call(`/v1/consent-requests/${own}/fetch`, {})
  await stored(String(listAt(body, 'requests')[0]))
}

async function stored(id: string): Promise<void> {
  for (;;) {
    const { rows } = await store.pool.query<{ status: string }>('select status from hiu_request where id = $1', [id])
    if (rows[0]?.status === 'complete') return
    if (rows[0] === undefined || rows[0].status === 'failed' || rows[0].status === 'incomplete')
      throw new Error(`the transfer ${id} is ${rows[0]?.status ?? 'missing'}`)
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
}

/** The least that a receiver does: read the body, write it, answer when it is safe. */
async function startBareReceiver(
  pool: pg.Pool,
): Promise<{ readonly post: (text: string) => Promise<void>; readonly stop: () => Promise<void> }> {
  await pool.query('create table bench_bare (id uuid primary key, body bytea not null)')
  const server = createServer((incoming, answer) => {
    const chunks: Buffer[] = []
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
    incoming.on('end', () => {
      pool.query('insert into bench_bare (id, body) values ($1, $2)', [randomUUID(), Buffer.concat(chunks)]).then(
        () => answer.writeHead(202).end(),
        () => answer.writeHead(500).end(),
      )
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const agent = new Agent({ connections: AT_ONCE })
  return {
    post: async (text) => {
      const sent = await request(`http://127.0.0.1:${port}/`, { method: 'POST', body: text, dispatcher: agent })
      await sent.body.dump()
      if (sent.statusCode !== 202) throw new Error(`the bare receiver answered ${sent.statusCode}`)
    },
    stop: async () => {
      await agent.close()
      server.close()
      await once(server, 'close')
    },
  }
}

const bare = await startBareReceiver(store.pool)
for (const { name, bytes, many, rounds, single } of SIZES) {
  const one = await patientWith(1, bytes)
  const alone = await consented(one.person)
  const [document = ''] = one.documents
  const bareOne = await load(single * 4, 1, () => bare.post(document))
  const ours = await load(single, 1, () => fetchAgain(alone))
  say(
    `one document of ${name}`,
    ours.p50Ms / bareOne.p50Ms,
    'time of a bare post',
    `${latency(ours)}, ${cpu(ours)}; bare ${latency(bareOne)}, ${cpu(bareOne)}`,
  )
  const all = await patientWith(many, bytes)
  const own = await consented(all.person)
  const bareMany = await load(many * rounds, AT_ONCE, (turn) => bare.post(all.documents[turn % many] ?? ''))
  const transfers = await load(rounds, 1, () => fetchAgain(own))
  const documents: Rate = { ...transfers, perSecond: transfers.perSecond * many, cpuMs: transfers.cpuMs / many }
  say(
    `${many} documents of ${name} at once`,
    documents.perSecond / bareMany.perSecond,
    'rate of bare posts',
    `${perSecond(documents)}, ${cpu(documents)} each, a transfer of all ${latency(transfers)}; bare ${perSecond(bareMany)}, ${cpu(bareMany)}`,
  )
}

const asked = await patientWith(1, 4_000)
const app = await PatientApp.open(network, asked.person.abhaAddress)
const flow = await load(WHOLE_FLOWS, 1, async () => {
  const { own, request: id } = await clinic.ask({ patient: asked.person.abhaAddress, hiTypes, frequency })
  await app.grant(id, HIP)
  await clinic.transferred(own)
  const shown = await clinic.view(asked.person.abhaAddress)
  if (shown.length === 0 || at(shown[0], 'document') === undefined) throw new Error('nothing was shown')
})
console.log(
  `consent asked → granted → data shown   ${latency(flow)} (goal: p50 150 ms on a quiet machine; asked every 10 ms whether the next step can begin)`,
)

const memory = process.memoryUsage().rss / 1024 ** 2
console.log(
  `resident, three parties and the bench in one process: ${memory.toFixed(0)} MB; longest step ${ms(flow.p99Ms)}`,
)
await bare.stop()
await store.close()
await network.stop()
await stopServer()
