import { join, resolve } from 'node:path'
import { z } from 'zod'
import { PURPOSES, parsePurpose } from '../policy/purpose.ts'
import { callParty } from '../sandbox/client.ts'
import { type Network, partyOf, readNetworkFile } from '../sandbox/network-file.ts'
import { type Desk, type DeskConsent, type DeskRecord, makeDesk, type Person, type ShownRow } from './facility-desk.ts'
import { insist, makeNarrator, type Narrator, type Say, sayMs, waitFor } from './narrator.ts'
import { makePatientApp } from './patient-app.ts'
import { castAsha, castFolder, type Expected, type Story } from './story-cast.ts'
import { proveEverything } from './story-proof.ts'

type Options = {
  readonly dataFolder: string
  readonly firstPort: number | undefined
  readonly recordsFolder: string | undefined
  readonly now: () => Date
}

const DOCTOR: Person = { name: 'Dr. Meera Nambiar', role: 'physician' }
const PURPOSE = 'CAREMGT'
const DAY_MS = 86_400_000

/** What a person types to see it for themselves. */
const showAt = (party: string, path: string, patient?: string): string =>
  `npx amanat sandbox show ${party} ${/[?&]/.test(path) ? `"${path}"` : path}${patient === undefined ? '' : ` --patient ${patient}`}`

const print = (line: string): void => void process.stdout.write(`${line}\n`)

/** `amanat story`: the main job against the running network, over HTTP only. Ends non-zero when a step is not exactly as it should be. */
export async function storyCommand(options: Options): Promise<number> {
  const dataFolder = resolve(options.dataFolder)
  const network = readNetworkFile(dataFolder, options.firstPort)
  const narrator = makeNarrator(print)
  await narrator.step('The network is up', async (say, see) => {
    await checkNetwork(network, say)
    see(`${partyOf(network, 'exchange').url}/`)
  })
  const story = await assemble(options, dataFolder, network, narrator)
  const asked = await ask(story)
  const artefacts = await decide(story, asked)
  const records = await receive(story, asked, artefacts)
  await look(story, records)
  await stop(story, asked, artefacts, records)
  await proveEverything(story, artefacts, join(dataFolder, 'story'))
  print(`\nDone: ${narrator.steps()} steps in ${sayMs(narrator.totalMs())}, each exactly as it should be.`)
  return 0
}

async function checkNetwork(network: Network, say: Say): Promise<void> {
  for (const party of network.parties) {
    await callParty(party, '/health/ready')
    say(`${party.what.padEnd(16)} ${party.name}`)
  }
}

async function assemble(options: Options, dataFolder: string, network: Network, narrator: Narrator): Promise<Story> {
  const { recordsFolder, now } = options
  const cast =
    recordsFolder === undefined
      ? castAsha(dataFolder, network, now())
      : await narrator.step('Documents made by others come to hospital A, and their patient is linked', async (say) => {
          const found = await castFolder({
            dataFolder,
            network,
            recordsFolder: resolve(recordsFolder),
            now: now(),
            say,
          })
          for (const document of found.documents) say(`${document.hiType.padEnd(20)} ${document.careContextReference}`)
          return found
        })
  const exchange = partyOf(network, 'exchange')
  const { token } = z
    .object({ token: z.string() })
    .parse(await callParty(exchange, '/v1/sandbox/tokens', { body: { patient: cast.patient.abhaAddress } }))
  return {
    network,
    cast,
    app: makePatientApp(exchange, token, now),
    requester: makeDesk(partyOf(network, 'vanashree')),
    holders: cast.allowed.holders.map((key) => makeDesk(partyOf(network, key))),
    narrator,
    now,
  }
}

type Asked = { readonly deskId: string; readonly requestId: string }

async function ask({ narrator, requester, cast, now, app }: Story): Promise<Asked> {
  const deskId = await narrator.step(
    `${DOCTOR.name} at hospital B asks for ${cast.patient.name}’s records`,
    async (say, see) => {
      const id = await requester.ask({
        patient: cast.patient.abhaAddress,
        purpose: PURPOSE,
        hiTypes: cast.asked.hiTypes,
        from: cast.asked.from.toISOString(),
        to: cast.asked.to.toISOString(),
        dataEraseAt: new Date(now().getTime() + 90 * DAY_MS).toISOString(),
        frequency: { unit: 'DAY', value: 1, repeats: 1 },
        requester: { name: DOCTOR.name, registrationNumber: 'KMC-84213', registrationSystem: 'https://www.nmc.org.in' },
      })
      await waitFor('the exchange to take the request', async () => {
        const consent = await requester.consent(id)
        insist(consent.status !== 'failed', `the exchange refused: ${consent.reason ?? 'no reason given'}`)
        return consent.exchangeId === undefined ? undefined : true
      })
      say(`${cast.asked.hiTypes.join(', ')}`)
      say(`records from ${day(cast.asked.from)} to ${day(cast.asked.to)}, to be kept for 90 days, for care`)
      see(showAt('vanashree', `/v1/consent-requests/${id}`))
      return id
    },
  )
  const requestId = await narrator.step(
    `${cast.patient.name} sees on the phone who asks, for what, and why`,
    async (say, see) => {
      const wanted = (await requester.consent(deskId)).exchangeId
      const found = (await app.waiting()).find((request) => request.requestId === wanted)
      insist(found !== undefined, 'the request does not wait for her decision')
      insist(
        found.requester.name === DOCTOR.name && found.hiu.id === requester.party.id,
        'the request names somebody else',
      )
      say(`${found.requester.name}, ${found.hiu.name ?? found.hiu.id}: ${found.purpose.text ?? found.purpose.code}`)
      see(showAt('exchange', `/api/hiecm/consent/v3/request/${found.requestId}`, cast.patient.abhaAddress))
      return found.requestId
    },
  )
  return { deskId, requestId }
}

/** The provider's name on the wire may not be longer than 50 characters for some clients. */
const hipOf = (desk: Desk) => ({ id: desk.party.id, name: desk.party.name.slice(0, 50) })

function grantItems({ cast, holders, now }: Story, types: readonly string[], eraseInDays: number) {
  return holders.map((desk) => ({
    hip: hipOf(desk),
    hiTypes: types,
    careContexts: cast.documents
      .filter((document) => document.hip === desk.party.id && types.includes(document.hiType))
      .map(({ careContextReference, patientReference }) => ({ patientReference, careContextReference })),
    permission: {
      accessMode: 'VIEW',
      dateRange: { from: cast.allowed.from.toISOString(), to: cast.asked.to.toISOString() },
      dataEraseAt: new Date(now().getTime() + eraseInDays * DAY_MS).toISOString(),
      frequency: { unit: 'DAY', value: 1, repeats: 1 },
    },
  }))
}

async function decide(story: Story, asked: Asked): Promise<readonly string[]> {
  const { narrator, cast, app, holders, network } = story
  await narrator.step('The exchange lets nobody grant more than was asked', async (say) => {
    const refused = await app.approvalRefused(asked.requestId, grantItems(story, cast.allowed.hiTypes, 200))
    insist(refused !== undefined, 'a grant that reaches further than the request was accepted')
    say(refused)
  })
  const artefacts = await narrator.step(`${cast.patient.name} allows less than was asked`, async (say, see) => {
    const ids = await app.approve(asked.requestId, grantItems(story, cast.allowed.hiTypes, 30))
    insist(ids.length === holders.length, `${ids.length} artefacts for ${holders.length} providers`)
    say(`${cast.allowed.hiTypes.join(', ')}; from ${day(cast.allowed.from)}; to be erased after 30 days`)
    say(`only from ${holders.map((desk) => desk.party.name).join(' and ')}`)
    see(showAt('exchange', '/v1/me/sharing', cast.patient.abhaAddress))
    return ids
  })
  await narrator.step('Each holder receives its signed artefact; nobody else hears of it', async (say, see) => {
    for (const desk of holders) {
      await waitFor(`${desk.party.name} to hold its artefact`, async () =>
        (await desk.artefacts()).find(({ consentId, status }) => artefacts.includes(consentId) && status === 'GRANTED'),
      )
      say(`${desk.party.name}: signature verified, acknowledged`)
    }
    const others = network.parties.filter(
      (party) => party.role === 'facility' && party.key !== 'vanashree' && !cast.allowed.holders.includes(party.key),
    )
    for (const party of others)
      insist(
        !(await makeDesk(party).artefacts()).some(({ consentId }) => artefacts.includes(consentId)),
        `${party.name} was told of a consent that is not its business`,
      )
    see(showAt(holders[0]?.party.key ?? '', '/v1/artefacts'))
  })
  return artefacts
}

/** What must arrive: allowed holder, type and day. Nothing else may. */
function expectedOf({ cast, holders }: Story): readonly Expected[] {
  const places = new Set(holders.map((desk) => desk.party.id))
  return cast.documents.filter(
    ({ hip, hiType, date }) =>
      places.has(hip) && cast.allowed.hiTypes.includes(hiType) && date >= cast.allowed.from && date <= cast.asked.to,
  )
}

const isSettled = (consent: DeskConsent, artefacts: readonly string[]): boolean =>
  artefacts.every((id) =>
    consent.artefacts.some(
      (artefact) => artefact.id === id && artefact.transfers.some(({ status }) => status === 'complete'),
    ),
  )

async function receive(story: Story, asked: Asked, artefacts: readonly string[]): Promise<readonly DeskRecord[]> {
  const { narrator, requester, holders, cast } = story
  const expected = expectedOf(story)
  await narrator.step(
    'Hospital B asks for the data; each holder builds, narrows, validates, seals and pushes',
    async (say, see) => {
      const consent = await waitFor(
        'all pages to arrive',
        async () => {
          const now = await requester.consent(asked.deskId)
          return isSettled(now, artefacts) ? now : undefined
        },
        120_000,
      )
      insist(consent.artefacts.length === artefacts.length, 'hospital B knows of other artefacts than were granted')
      const given = (await Promise.all(holders.map((desk) => desk.disclosures(cast.patient.abhaAddress))))
        .flat()
        .filter(({ consentId, status }) => artefacts.includes(consentId) && status === 'sent')
      say(
        `${given.length} sealed pages, one document each with keys of its own; ${given.filter(({ narrowed }) => narrowed).length} narrowed, ${given.filter(({ narrowed }) => !narrowed).length} whole`,
      )
      see('npx amanat sandbox messages')
    },
  )
  return narrator.step('Hospital B opens, checks and keeps them, sealed again', async (say, see) => {
    const records = (await requester.records(cast.patient.abhaAddress)).filter(({ artefact }) =>
      artefacts.includes(artefact),
    )
    const quarantined = records.filter(({ status }) => status === 'quarantined')
    insist(
      quarantined.length === 0,
      `${quarantined.length} documents are in quarantine: ${quarantined[0]?.reason ?? ''}`,
    )
    checkArrived(expected, records, say)
    const types = new Map<string, number>()
    for (const { hiType } of records) types.set(hiType, (types.get(hiType) ?? 0) + 1)
    say([...types].map(([type, count]) => `${type} ${count}`).join(' · '))
    see(showAt('vanashree', `/v1/records?patient=${cast.patient.abhaAddress}`))
    return records
  })
}

const nameOf = ({
  hip,
  careContextReference,
  hiType,
}: Pick<Expected, 'hip' | 'careContextReference' | 'hiType'> | DeskRecord): string =>
  `${hip} ${careContextReference} ${hiType}`

function checkArrived(expected: readonly Expected[], records: readonly DeskRecord[], say: Say): void {
  const arrived = new Map(records.map((record) => [nameOf(record), record]))
  const missing = expected.filter((document) => !arrived.has(nameOf(document)))
  const wanted = new Set(expected.map(nameOf))
  const surplus = records.filter((record) => !wanted.has(nameOf(record)))
  insist(
    missing.length === 0,
    `${missing.length} allowed documents did not arrive, the first is ${missing[0] ? nameOf(missing[0]) : ''}`,
  )
  insist(
    surplus.length === 0,
    `${surplus.length} documents arrived that were not allowed, the first is ${surplus[0] ? nameOf(surplus[0]) : ''}`,
  )
  say(`all ${expected.length} allowed documents are here, and nothing else`)
  const foreign = expected.filter(({ sha256 }) => sha256 !== undefined)
  const same = foreign.filter((document) => arrived.get(nameOf(document))?.sha256 === document.sha256)
  if (foreign.length > 0)
    say(
      `${same.length} of ${foreign.length} documents of others are byte for byte as they were; ${foreign.length - same.length} were cut as the consent says`,
    )
}

async function look({ narrator, requester, cast, app }: Story, records: readonly DeskRecord[]): Promise<void> {
  const newest = records.toSorted((a, b) => (a.date < b.date ? 1 : -1))
  const chosen = newest.find(({ hiType }) => hiType === 'DiagnosticReport') ?? newest[0]
  insist(chosen !== undefined, 'there is nothing to look at')
  await narrator.step(`${DOCTOR.name} reads one of them`, async (say) => {
    const display = await requester.view(chosen.id, DOCTOR, PURPOSE)
    insist(display !== undefined, 'the document cannot be shown')
    say(`${display.title}, ${display.date?.slice(0, 10) ?? ''}, ${display.custodian ?? display.authors.join(', ')}`)
    for (const row of display.sections
      .flatMap((section) => section.rows.flatMap((one) => one.rows ?? [one]))
      .slice(0, 4))
      say(sayRow(row))
  })
  await narrator.step(`${cast.patient.name} sees who looked`, async (say, see) => {
    const seen = await waitFor('the look to reach the exchange', async () =>
      (await app.looks()).find(({ event }) => event.subject === chosen.artefact),
    )
    insist(seen.event.actor.person?.name === DOCTOR.name, 'the look is not by name')
    say(
      `${seen.event.actor.person.name}, ${seen.event.actor.person.role}, ${seen.event.facilityName ?? ''}: ${purposeWords(seen.event.purpose)}`,
    )
    see(showAt('exchange', '/v1/me/looks', cast.patient.abhaAddress))
  })
}

const purposeWords = (code: string | undefined): string => {
  const purpose = parsePurpose(code ?? '')
  return purpose === undefined ? (code ?? '') : PURPOSES[purpose]
}

const sayRow = (row: ShownRow): string =>
  `${row.what}${row.value === undefined ? '' : `: ${row.value}`}${row.flag === undefined ? '' : ` (${row.flag})`}`

async function stop(
  { narrator, requester, cast, app, holders }: Story,
  asked: Asked,
  artefacts: readonly string[],
  records: readonly DeskRecord[],
): Promise<void> {
  await narrator.step(
    'Asking again for the data within the day is refused: the consent says once a day',
    async (say) => {
      const refused = await requester.fetchRefused(asked.deskId, { artefact: artefacts[0] })
      insist(refused !== undefined, 'the data was asked for more often than the consent permits')
      say(refused)
    },
  )
  await narrator.step(`${cast.patient.name} stops sharing`, async (say, see) => {
    await app.revoke(artefacts)
    for (const desk of holders) {
      await waitFor(`${desk.party.name} to hear of it`, async () =>
        (await desk.artefacts()).find(({ consentId, status }) => artefacts.includes(consentId) && status === 'REVOKED'),
      )
      say(`${desk.party.name} shares no more`)
    }
    see(showAt('exchange', '/v1/me/events', cast.patient.abhaAddress))
  })
  await narrator.step('Hospital B’s copy is gone, and it has attested that', async (say, see) => {
    await waitFor('every copy to be erased and attested', async () => {
      const sharing = await app.sharing()
      return artefacts.every((id) =>
        sharing.some((one) => one.id === id && one.status === 'REVOKED' && one.erasedAt !== undefined),
      )
        ? true
        : undefined
    })
    const left = (await requester.records(cast.patient.abhaAddress)).filter(({ artefact }) =>
      artefacts.includes(artefact),
    )
    insist(left.length === 0, `${left.length} documents are still there`)
    const [first] = records
    if (first)
      insist(
        (await requester.viewRefused(first.id, DOCTOR, PURPOSE)) !== undefined,
        'an erased document can still be read',
      )
    const erased = (await requester.erasures()).filter(({ artefact }) => artefacts.includes(artefact))
    const hashes = new Set(erased.flatMap(({ sha256 }) => sha256))
    insist(
      records.every(({ sha256 }) => hashes.has(sha256)),
      'the attestation does not name every copy',
    )
    say(
      `${erased.reduce((sum, { documents }) => sum + documents, 0)} documents erased with their keys; the attestation names each by its hash`,
    )
    see(showAt('vanashree', '/v1/erasures'))
  })
}

function day(date: Date): string {
  return date.toISOString().slice(0, 10)
}
