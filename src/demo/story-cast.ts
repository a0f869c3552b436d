import { createHash } from 'node:crypto'
import { copyFileSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { HI_TYPES, type HiType } from '../fhir/hi-type.ts'
import { parseAbhaNumber, showAbhaNumber } from '../kernel/id.ts'
import { isRefusal } from '../kernel/refusal.ts'
import { readDocument } from '../records/document-bytes.ts'
import { toCareContextReference } from '../records/record.ts'
import { callParty } from '../sandbox/client.ts'
import { type Network, partyOf } from '../sandbox/network-file.ts'
import { type Desk, makeDesk } from './facility-desk.ts'
import { insist, type Narrator, StoryFault, waitFor } from './narrator.ts'
import { documentsFolder } from './network.ts'
import type { PatientApp } from './patient-app.ts'
import { makePopulation } from './people/population.ts'
import { readSeed } from './seed.ts'

/** One document that should arrive if it is allowed: where it lies, of which type and day; `sha256` when its bytes must not change. */
export type Expected = {
  readonly hip: string
  readonly patientReference: string
  readonly careContextReference: string
  readonly hiType: HiType
  readonly date: Date
  readonly sha256?: string
}

/** Whose records the story is about, where they lie, and what the patient gives away. */
export type Cast = {
  readonly patient: { readonly abhaAddress: string; readonly name: string }
  readonly documents: readonly Expected[]
  readonly asked: { readonly hiTypes: readonly HiType[]; readonly from: Date; readonly to: Date }
  /** What she allows of it: holders by key. */
  readonly allowed: { readonly hiTypes: readonly HiType[]; readonly from: Date; readonly holders: readonly string[] }
}

/** What one chapter leaves for the next. */
export type Story = {
  readonly network: Network
  readonly cast: Cast
  readonly app: PatientApp
  readonly requester: Desk
  readonly holders: readonly Desk[]
  readonly narrator: Narrator
  readonly now: () => Date
}

const YEAR_MS = 365.25 * 86_400_000

/** Asha, whose records lie at hospital A, the laboratory and the pharmacy; she gives less than is asked. */
export function castAsha(dataFolder: string, network: Network, now: Date): Cast {
  const seed = readSeed(dataFolder)
  if (seed === undefined || !seed.done)
    throw new StoryFault('the network is not filled with people yet; wait until npm start says that it is ready')
  const { patients, holdings } = makePopulation(new Date(seed.now), seed.seed)
  const asha = patients.find((patient) => patient.abhaAddress === 'asha.rao@sbx')
  insist(asha !== undefined, 'Asha is not among the people of this network')
  const documents = holdings
    .filter((holding) => holding.abhaAddress === asha.abhaAddress)
    .flatMap(({ holder, mrn, careContexts }) =>
      careContexts.map(({ careContextReference, hiType, date }) => ({
        hip: partyOf(network, holder).id,
        patientReference: mrn,
        careContextReference,
        hiType,
        date: new Date(date),
      })),
    )
  return {
    patient: { abhaAddress: asha.abhaAddress, name: asha.name },
    documents,
    asked: { hiTypes: HI_TYPES, from: new Date(now.getTime() - 8 * YEAR_MS), to: now },
    allowed: {
      hiTypes: ['OPConsultation', 'Prescription', 'DiagnosticReport', 'DischargeSummary'],
      from: new Date(now.getTime() - 5 * YEAR_MS),
      holders: ['tarangini', 'pratibimb'],
    },
  }
}

const patientResource = z.looseObject({
  name: z
    .array(
      z.looseObject({
        text: z.string().optional(),
        family: z.string().optional(),
        given: z.array(z.string()).optional(),
      }),
    )
    .optional(),
  gender: z.enum(['male', 'female', 'other', 'unknown']).optional(),
  birthDate: z.iso.date().optional(),
  identifier: z.array(z.looseObject({ value: z.string().optional() })).optional(),
})
const bundle = z.looseObject({
  entry: z.array(z.looseObject({ resource: z.looseObject({ resourceType: z.string() }) })),
})

type FolderDocument = {
  readonly file: string
  readonly bytes: Buffer
  readonly hiType: HiType
  readonly date: Date
  readonly patient: z.output<typeof patientResource>
}

/**
 * A patient made from the documents of a folder: they are put, unchanged, into hospital A's folder for documents made by others, and the
 * person in them is enrolled and linked. Documents about somebody else stay out, and are named.
 */
export async function castFolder(input: {
  readonly dataFolder: string
  readonly network: Network
  readonly recordsFolder: string
  readonly now: Date
  readonly say: (line: string) => void
}): Promise<Cast> {
  const { network, say } = input
  const read = readFolder(input.recordsFolder, say)
  const first = read[0]
  if (first === undefined)
    throw new StoryFault(`${input.recordsFolder} holds no FHIR document of an ABDM record type that could be read`)
  const identity = identityOf(first.patient)
  const documents = read.filter((document) => identityOf(document.patient).reference === identity.reference)
  for (const other of read.filter((document) => !documents.includes(document)))
    say(`left out: ${other.file} is about somebody else`)
  const hospital = makeDesk(partyOf(network, 'tarangini'))
  for (const { file } of documents)
    copyFileSync(join(input.recordsFolder, file), join(documentsFolder(input.dataFolder, 'tarangini'), file))
  const gender = first.patient.gender ?? 'unknown'
  const person = {
    name: identity.name,
    birthDate: first.patient.birthDate ?? '1980-01-01',
    mobile: '9000000999',
    abhaNumber: identity.abhaNumber,
    abhaAddress: identity.abhaAddress,
  }
  await callParty(partyOf(network, 'exchange'), '/v1/patients', {
    body: { ...person, gender: { male: 'M', female: 'F', other: 'O', unknown: 'U' }[gender], language: 'en' },
  })
  await hospital.addPatient({ ...person, reference: identity.reference, gender })
  await hospital.link(identity.reference)
  await waitFor(`hospital A to link ${documents.length} care contexts`, async () => {
    const { linkedCount, linking } = await hospital.linkedContexts(identity.reference)
    const failed = linking.find((step) => step.status === 'failed')
    if (failed) throw new StoryFault(`linking failed: ${failed.error?.message ?? 'no reason given'}`)
    return linkedCount >= documents.length ? true : undefined
  })
  const hip = partyOf(network, 'tarangini').id
  const hiTypes = [...new Set(documents.map((document) => document.hiType))]
  const from = new Date(Math.min(...documents.map((document) => document.date.getTime())) - 100 * YEAR_MS)
  return {
    patient: { abhaAddress: identity.abhaAddress, name: identity.name },
    documents: documents.map(({ file, bytes, hiType, date }) => ({
      hip,
      patientReference: identity.reference,
      careContextReference: toCareContextReference(file.replace(/\.json$/i, '')),
      hiType,
      date,
      sha256: createHash('sha256').update(bytes).digest('hex'),
    })),
    asked: { hiTypes, from, to: input.now },
    // All but one type, where there are several: what is not allowed must not arrive.
    allowed: {
      hiTypes:
        hiTypes.length > 1
          ? hiTypes.filter((type) => type !== 'Invoice').slice(0, Math.max(1, hiTypes.length - 1))
          : hiTypes,
      from,
      holders: ['tarangini'],
    },
  }
}

function readFolder(folder: string, say: (line: string) => void): readonly FolderDocument[] {
  let files: string[]
  try {
    files = readdirSync(folder)
      .filter((file) => /\.json$/i.test(file))
      .toSorted()
  } catch (error) {
    throw new StoryFault(
      `the folder ${folder} cannot be read (${error instanceof Error && 'code' in error ? String(error.code) : 'unreadable'})`,
    )
  }
  return files.flatMap((file) => {
    const bytes = readFileSync(join(folder, file))
    const document = readDocument(bytes)
    const found = isRefusal(document) ? undefined : patientOf(document.bundle)
    if (isRefusal(document) || found === undefined) {
      say(`left out: ${file}: ${isRefusal(document) ? document.detail : 'it names no patient'}`)
      return []
    }
    return [{ file, bytes, hiType: document.hiType, date: document.date, patient: found }]
  })
}

function patientOf(value: unknown): z.output<typeof patientResource> | undefined {
  const parsed = bundle.safeParse(value)
  const found = parsed.success
    ? parsed.data.entry.find(({ resource }) => resource.resourceType === 'Patient')
    : undefined
  const patient = patientResource.safeParse(found?.resource)
  return patient.success ? patient.data : undefined
}

/** The documents' own number of the patient is what ties them together; an ABHA number is taken from it, or invented out of range. */
function identityOf(patient: z.output<typeof patientResource>): {
  readonly reference: string
  readonly name: string
  readonly abhaNumber: string
  readonly abhaAddress: string
} {
  const values = (patient.identifier ?? []).flatMap(({ value }) => value ?? [])
  const reference = values[0] ?? 'unnumbered'
  const digest = createHash('sha256').update(reference).digest()
  const own = values.map((value) => parseAbhaNumber(value)).find((number) => number !== undefined)
  const invented = `9199${String(digest.readUInt32BE(0)).padStart(10, '0')}`
  const name =
    patient.name?.[0]?.text ?? [...(patient.name?.[0]?.given ?? []), patient.name?.[0]?.family ?? ''].join(' ').trim()
  return {
    reference: own === undefined ? reference : showAbhaNumber(own),
    name: name || 'Unnamed',
    abhaNumber: own ?? invented,
    abhaAddress: `guest.${digest.toString('hex').slice(0, 10)}@sbx`,
  }
}
