import { CompiledQuery } from 'kysely'
import { random } from '../../src/app.ts'
import { encodeRaw } from '../../src/crypto/key-material.ts'
import { makeKeyPair } from '../../src/crypto/sealing.ts'
import { sampleDocument } from '../../src/fhir/sample-documents.ts'
import { FacilityDesk } from '../facility-desk.ts'
import { listAt, textAt } from '../json-path.ts'
import { callJson, type TestNetwork } from '../network.ts'
import { PatientApp } from '../patient-app.ts'
import { ASHA, daysFromNow } from '../people.ts'
import { waitFor } from '../wait.ts'

export const MRN = '22-7225'
const RECORDS = ['visit-1', 'visit-2'] as const

/** Names of things that there are, by the place where they are named: see {@link Known}. */
export type Names = Readonly<Record<string, readonly string[]>>

/**
 * Lives a little in a network of two hospitals, so that a hostile client finds something behind each door: records linked, shared both ways
 * and looked at, requests and a subscription that wait, a visit, a question. Then `other` goes away, with a transfer to `own` and a
 * patient's own copy under way: answers the secrets in the addresses to which their pages would be sent.
 */
export async function furnish(network: TestNetwork, own: string, other: string): Promise<readonly string[]> {
  const [here, there] = [new FacilityDesk(network, own), new FacilityDesk(network, other)]
  const asha = await PatientApp.open(network, ASHA.abhaAddress)
  for (const desk of [here, there]) {
    await desk.addPatient(MRN, ASHA)
    for (const record of RECORDS) await desk.addDocument(MRN, record, sampleDocument('Prescription'))
    await desk.link(MRN, RECORDS.length)
  }
  const terms = {
    patient: ASHA.abhaAddress,
    hiTypes: ['Prescription'],
    frequency: { unit: 'DAY', value: 1, repeats: 9 },
  }
  const granted = await here.ask(terms)
  await asha.grant(granted.request, other)
  const given = await there.ask(terms)
  await asha.grant(given.request, own)
  await Promise.all([here.transferred(granted.own), there.transferred(given.own)])
  await here.view(ASHA.abhaAddress)
  await here.ask(terms)
  await here.call('/v1/visits', { patientReference: MRN, kind: 'outpatient', attendants: [] }, [201, 400])
  await subscribe(here)
  const look = await waitFor('the report of the look', async () => {
    const [first] = listAt({ looks: (await asha.call('/v1/me/looks')).body }, 'looks')
    return first === undefined ? undefined : textAt(first, 'id')
  })
  await asha.call(`/v1/me/looks/${look}/question`, { text: 'Why did you look?' })
  await network.part(other)
  await here.call(`/v1/consent-requests/${granted.own}/fetch`, {})
  await fetchOwn(network)
  return waitFor('both transfers to be under way', async () => {
    const secrets = await secretsOnTheWay(network)
    return secrets.length >= 2 && secrets
  })
}

async function subscribe(desk: FacilityDesk): Promise<void> {
  const period = { from: daysFromNow(-1).toISOString(), to: daysFromNow(30).toISOString() }
  await desk.call('/v1/subscriptions', {
    patient: ASHA.abhaAddress,
    purpose: 'CAREMGT',
    categories: ['LINK', 'DATA'],
    period,
  })
}

/** The patient asks for her own copy; her page's keys are of no use to anybody. */
async function fetchOwn(network: TestNetwork): Promise<void> {
  const keyValue = encodeRaw(makeKeyPair(random).publicKey)
  const keyMaterial = { dhPublicKey: { keyValue }, nonce: Buffer.from(random(32)).toString('base64') }
  const token = await network.patientToken(ASHA.abhaAddress)
  const headers = { 'X-AUTH-TOKEN': token, 'idempotency-key': crypto.randomUUID() }
  const { status, body } = await callJson(`${network.exchange.url}/v1/me/records/fetch`, headers, { keyMaterial })
  if (status >= 300) throw new Error(`own copy: ${status} ${JSON.stringify(body)}`)
}

/** The last parts of the addresses to which pages are to be sent, in messages that wait for somebody who is away. */
async function secretsOnTheWay(network: TestNetwork): Promise<readonly string[]> {
  const jobs = await network.exchange.running.machine.db.selectFrom('job').select('payload').execute()
  const text = jobs.map(({ payload }) => JSON.stringify(payload)).join('\n')
  return [...text.matchAll(/"dataPushUrl":"[^"]*\/([\w-]{20,})"/g)].flatMap(([, secret]) => secret ?? [])
}

/** Everything in a party's database that could be named in a call: ids by table and column. */
export async function idsOf(network: TestNetwork, party: string): Promise<Names> {
  const { db } = network.party(party).running.machine
  const columns = await db.executeQuery<{ place: string; query: string }>(
    CompiledQuery.raw(`select table_name || '.' || column_name as place,
        format('select distinct %I::text as id from %I where %I is not null limit 40', column_name, table_name, column_name) as query
      from information_schema.columns where table_schema = 'public' and data_type = 'uuid'`),
  )
  const found: Record<string, readonly string[]> = {}
  for (const { place, query } of columns.rows)
    found[place] = (await db.executeQuery<{ id: string }>(CompiledQuery.raw(query))).rows.map(({ id }) => id)
  return found
}
