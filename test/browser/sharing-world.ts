import fs from 'node:fs'
import path from 'node:path'
import { sampleDocument } from '../../src/fhir/sample-documents.ts'
import { FacilityDesk } from '../facility-desk.ts'
import { PatientApp } from '../patient-app.ts'
import { ASHA } from '../people.ts'
import { letPatientIn } from './patient-door.ts'
import { type JourneyLanguage, type Size, type Visitor, WebWorld } from './web-world.ts'

export const HOSPITAL = 'IN2710000011'
export const CENTRE = 'IN2910000022'
export const INSURER = 'IN2710000055'
export const NAMES: Readonly<Record<string, string>> = {
  [HOSPITAL]: 'Tarangini Hospital, Pune',
  [CENTRE]: 'Vanashree Medical Centre, Bengaluru',
  [INSURER]: 'Chhatraksha Health Insurance, Mumbai',
}
/** Four parties and a browser share the machine. */
const PATIENCE_MS = 60_000
const WORDS = path.join(import.meta.dirname, '..', '..', 'web')

/** A text of the patient app as the page shows it; a key without words stands for itself; values are isolated in Urdu. */
export function say(language: JourneyLanguage, key: string, values: Readonly<Record<string, string>> = {}): string {
  const [area = ''] = key.split('.')
  const files = [
    `patient/words/${language}/${area === 'proof' ? 'looked' : area}.json`,
    `ui/words/${language}/common.json`,
  ].map((file) => path.join(WORDS, file))
  const catalogues = files
    .filter((file) => fs.existsSync(file))
    .map((file) => JSON.parse(fs.readFileSync(file, 'utf8')) as Record<string, string>)
  const text = catalogues.map((words) => words[key]).find((words) => words !== undefined) ?? key
  return text.replaceAll(/\{(\w+)\}/g, (place, name: string) => {
    const value = values[name]
    return value === undefined ? place : language === 'ur' ? `\u2068${value}\u2069` : value
  })
}

/** Asha's records at a hospital and a centre, whose logs watch over that of the exchange; a hospital, a centre and an insurer that share. */
export class SharingWorld {
  readonly world: WebWorld
  readonly asha: PatientApp
  readonly centre: FacilityDesk
  readonly insurer: FacilityDesk

  private constructor(world: WebWorld, asha: PatientApp) {
    this.world = world
    this.asha = asha
    this.centre = new FacilityDesk(world.network, CENTRE, PATIENCE_MS)
    this.insurer = new FacilityDesk(world.network, INSURER, PATIENCE_MS)
  }

  static async start(): Promise<SharingWorld> {
    const world = await WebWorld.start({ facilities: [HOSPITAL, CENTRE, INSURER], names: NAMES, witnessed: true })
    const { network } = world
    await network.enrol(ASHA)
    const own = new SharingWorld(world, await PatientApp.open(network, ASHA.abhaAddress))
    const hospital = new FacilityDesk(network, HOSPITAL, PATIENCE_MS)
    for (const desk of [hospital, own.centre]) await desk.addPatient('MRN-1', ASHA)
    await hospital.addDocument('MRN-1', 'visit-1', sampleDocument('OPConsultation'))
    await hospital.addDocument('MRN-1', 'visit-2', sampleDocument('Prescription'))
    await hospital.link('MRN-1', 2)
    await own.centre.addDocument('MRN-1', 'stay-1', sampleDocument('OPConsultation'))
    await own.centre.link('MRN-1', 1)
    return own
  }

  async stop(): Promise<void> {
    await this.world.stop()
  }

  /** A facility asks, Asha allows it from one holder, and the records arrive. */
  async share(desk: FacilityDesk, holder: string, hiTypes: readonly string[] = ['OPConsultation', 'Prescription']) {
    const { own, request } = await desk.ask({ patient: ASHA.abhaAddress, hiTypes })
    await this.asha.grant(request, holder)
    await desk.transferred(own)
    return request
  }

  /** Asha in her app, signed in, on a page of it. */
  async open(at: string, language: JourneyLanguage, size: Size): Promise<Visitor> {
    const visitor = await this.world.visitor('sbx', { language, size })
    await letPatientIn(this.world, ASHA.abhaAddress, visitor)
    await visitor.open(at)
    return visitor
  }
}
