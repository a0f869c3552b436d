import type {
  AttachmentInput,
  Concept,
  DischargeSummaryInput,
  DocumentInput,
  EncounterInput,
  ImmunisationInput,
  InvoiceInput,
  InvoiceItemInput,
  MedicationInput,
  ObservationInput,
  OpConsultationInput,
  ReportInput,
  WellnessRecordInput,
} from '../../fhir/build/inputs.ts'
import { showDate } from '../../fhir/build/narrative.ts'
import { makePdf } from '../../fhir/build/pdf.ts'
import { momentBefore } from './calendar.ts'
import { DOCTORS, type DoctorName, USUAL_DOCTOR } from './doctors.ts'
import { labReport, type PanelName } from './laboratory.ts'
import { type DemoCareContext, type DemoPatient, HOLDERS, type Holder } from './person.ts'
import { makePicture } from './picture.ts'
import type { Random } from './random.ts'
import { VACCINES, type VaccineName } from './vaccines.ts'

type Kind = 'OPD' | 'RX' | 'LAB' | 'IMG' | 'IPD' | 'VAC' | 'DOC' | 'WEL' | 'BIL'

const PREFIX: Readonly<Record<Holder, string>> = {
  tarangini: 'TGH',
  vanashree: 'VMC',
  pratibimb: 'PBD',
  aushadhika: 'ASP',
  chhatraksha: 'CHI',
}

/** What discovery may show: the kind of paper and its day, nothing about the body. */
const SHOWN: Readonly<Record<Kind, string>> = {
  OPD: 'OPD visit',
  RX: 'Prescription',
  LAB: 'Laboratory report',
  IMG: 'Imaging report',
  IPD: 'Hospital stay',
  VAC: 'Vaccination visit',
  DOC: 'Document',
  WEL: 'Health check',
  BIL: 'Bill',
}

export type Where = { readonly holder: Holder; readonly doctor?: DoctorName }
export type VisitFacts = Omit<
  OpConsultationInput,
  'hiType' | 'patient' | 'author' | 'organisation' | 'encounter' | 'date' | 'title' | 'followUp'
> & { readonly followUpIn?: number }
export type StayFacts = Pick<
  DischargeSummaryInput,
  'complaints' | 'examination' | 'allergies' | 'history' | 'medications' | 'carePlan'
> & {
  /** Procedures with the day of the stay (0 is the day of admission). */
  readonly operated?: readonly { readonly what: Concept; readonly day: number; readonly note?: string }[]
  readonly tests?: readonly {
    readonly panel: PanelName
    readonly results: ObservationInput[]
    readonly conclusion: string
  }[]
}
export type WellnessFacts = Omit<
  WellnessRecordInput,
  'hiType' | 'patient' | 'author' | 'organisation' | 'encounter' | 'date' | 'title'
>

/** Writes the papers of one person, each into the drawer of its holder. Days are counted back from `now`. */
export type Ledger = {
  readonly patient: DemoPatient
  readonly now: Date
  readonly random: Random
  /** The hospital that the person goes to. */
  readonly home: 'tarangini' | 'vanashree'
  readonly visit: (ago: number, where: Where, facts: VisitFacts) => void
  readonly prescribe: (ago: number, where: Where, medications: MedicationInput[]) => void
  readonly lab: (ago: number, panel: PanelName | Concept, results: ObservationInput[], conclusion: string) => void
  readonly image: (ago: number, where: Where, what: Concept, conclusion: string) => void
  readonly stay: (ago: number, days: number, where: Where, facts: StayFacts) => void
  readonly vaccinate: (ago: number, where: Where, given: readonly Given[]) => void
  readonly scan: (ago: number, where: Where, title: string, lines: readonly string[]) => void
  readonly check: (ago: number, where: Where, facts: WellnessFacts) => void
  readonly bill: (ago: number, where: Where, kind: InvoiceInput['kind'], items: InvoiceItemInput[]) => void
}

export type Given = {
  readonly vaccine: VaccineName
  readonly dose: number
  readonly of: number
  readonly nextInDays?: number
}

/** Numbers papers per holder, kind and year; one for the whole network. */
export type Register = (holder: Holder, kind: Kind, date: string) => string

export function makeRegister(): Register {
  const last = new Map<string, number>()
  return (holder, kind, date) => {
    const series = `${PREFIX[holder]}-${kind}-${date.slice(0, 4)}`
    const number = (last.get(series) ?? 0) + 1
    last.set(series, number)
    return `${series}-${String(number).padStart(4, '0')}`
  }
}

type File = (holder: Holder, context: DemoCareContext) => void
type Desk = {
  patient: DemoPatient
  now: Date
  random: Random
  home: 'tarangini' | 'vanashree'
  register: Register
  file: File
  mrnOf: (h: Holder) => string
  /** How often the latest set of medicines was prescribed in a row. */
  repeats: Map<string, number>
}

const GENDERS = { M: 'male', F: 'female', O: 'other' } as const

/** Opens the ledger of `patient`; every paper goes to `file`. */
export function openLedger(desk: Desk): Ledger {
  const { patient, now, random, home } = desk
  const at = (ago: number) => momentBefore(now, ago, random.whole(9 * 12, 17 * 12) * 5)
  return {
    patient,
    now,
    random,
    home,
    visit: (ago, where, facts) => writeVisit(desk, where, at(ago), facts),
    prescribe: (ago, where, medications) => writePrescription(desk, where, at(ago), medications),
    lab: (ago, panel, results, conclusion) => writeLab(desk, ago, panel, results, conclusion),
    image: (ago, where, what, conclusion) => writeImage(desk, where, at(ago), what, conclusion),
    stay: (ago, days, where, facts) => writeStay(desk, where, ago, days, facts),
    vaccinate: (ago, where, given) => writeVaccination(desk, where, ago, given),
    scan: (ago, where, title, lines) => writeScan(desk, where, at(ago), title, lines),
    check: (ago, where, facts) =>
      put(desk, where, 'WEL', { hiType: 'WellnessRecord', ...head(desk, where, at(ago), 'Wellness record'), ...facts }),
    bill: (ago, where, kind, items) => writeBill(desk, where, at(ago), kind, items),
  }
}

function head(desk: Desk, where: Where, date: string, title: string) {
  const { patient } = desk
  const { name, facilityId } = HOLDERS[where.holder]
  return {
    patient: {
      name: patient.name,
      gender: GENDERS[patient.gender],
      birthDate: patient.birthDate,
      abhaNumber: patient.abhaNumber,
      abhaAddress: patient.abhaAddress,
      mrn: desk.mrnOf(where.holder),
      phone: patient.mobile,
      address: patient.address,
    },
    author: DOCTORS[where.doctor ?? USUAL_DOCTOR[where.holder]],
    organisation: { name, facilityId },
    date,
    title,
  }
}

function put(desk: Desk, where: Where, kind: Kind, document: DocumentInput): void {
  const { date, hiType } = document
  desk.file(where.holder, {
    careContextReference: desk.register(where.holder, kind, date),
    display: `${SHOWN[kind]}, ${showDate(date)}`,
    hiType,
    date,
    document,
  })
}

function writeVisit(desk: Desk, where: Where, date: string, { followUpIn, ...facts }: VisitFacts): void {
  const encounter: EncounterInput = { class: 'ambulatory', start: date }
  const followUp = followUpIn === undefined ? undefined : { start: later(date, followUpIn) }
  const base = head(desk, where, date, 'OP consultation')
  put(desk, where, 'OPD', { hiType: 'OPConsultation', ...base, encounter, ...facts, ...(followUp && { followUp }) })
}

/** Every second repeat of the same medicines stands only in the note of the visit, as busy doctors do. */
function writePrescription(desk: Desk, where: Where, date: string, medications: MedicationInput[]): void {
  const names = medications.map((one) => one.medicine.text).join(', ')
  const repeat = (desk.repeats.get(names) ?? 0) + 1
  desk.repeats.clear()
  desk.repeats.set(names, repeat)
  if (repeat % 2 === 0) return
  put(desk, where, 'RX', { hiType: 'Prescription', ...head(desk, where, date, 'Prescription'), medications })
}

/** The same time of day, `days` later (India keeps no summer time). */
function later(date: string, days: number): string {
  const moved = new Date(Date.parse(`${date.slice(0, 10)}T00:00:00Z`) + days * 86_400_000)
  return `${moved.toISOString().slice(0, 10)}${date.slice(10)}`
}

function writeLab(
  desk: Desk,
  ago: number,
  panel: PanelName | Concept,
  results: ObservationInput[],
  conclusion: string,
): void {
  const minute = desk.random.whole(7 * 12, 10 * 12) * 5
  const [collected, received, issued] = [0, 90, 330].map((after) => momentBefore(desk.now, ago, minute + after))
  if (!collected || !received || !issued) throw new Error('a sample has three times')
  const report = labReport(panel, results, conclusion, { collected, received, issued })
  // The laboratory of this network is in Pune; the hospital in Bengaluru has its own.
  const holder = desk.home === 'tarangini' ? 'pratibimb' : desk.home
  writeReport(desk, { holder }, 'LAB', issued, report)
}

function writeReport(desk: Desk, where: Where, kind: 'LAB' | 'IMG', date: string, report: ReportInput): void {
  const title = kind === 'LAB' ? 'Laboratory report' : 'Imaging report'
  put(desk, where, kind, { hiType: 'DiagnosticReport', ...head(desk, where, date, title), report })
}

function writeImage(desk: Desk, where: Where, date: string, what: Concept, conclusion: string): void {
  const data = makePicture(desk.random.whole(150, 250))
  const picture: AttachmentInput = { title: what.text, contentType: 'image/png', data, date }
  writeReport(desk, where, 'IMG', date, { kind: 'imaging', what, images: [picture], conclusion, issued: date })
}

function writeStay(desk: Desk, where: Where, ago: number, days: number, facts: StayFacts): void {
  const { operated, tests, ...rest } = facts
  const day = (offset: number, minute: number) => momentBefore(desk.now, ago - offset, minute)
  const date = day(days, 16 * 60)
  const encounter: EncounterInput = { class: 'inpatient', start: day(0, 10 * 60), end: date }
  const procedures = operated?.map(({ day: on, ...one }) => ({
    kind: 'procedure' as const,
    ...one,
    date: day(on, 11 * 60 + 30),
  }))
  const investigations = tests?.map(({ panel, results, conclusion }) =>
    labReport(panel, results, conclusion, {
      collected: day(0, 11 * 60),
      received: day(0, 11 * 60 + 30),
      issued: day(0, 15 * 60),
    }),
  )
  put(desk, where, 'IPD', {
    hiType: 'DischargeSummary',
    ...head(desk, where, date, 'Discharge summary'),
    encounter,
    ...rest,
    ...(procedures && { procedures }),
    ...(investigations && { investigations }),
  })
}

function writeVaccination(desk: Desk, where: Where, ago: number, given: readonly Given[]): void {
  const date = momentBefore(desk.now, ago, 10 * 60 + 15)
  const immunisations = given.map(({ vaccine, dose, of, nextInDays }): ImmunisationInput => {
    const lot = `${vaccine.slice(0, 3).toUpperCase()}${desk.random.whole(1000, 9999)}`
    return {
      vaccine: VACCINES[vaccine],
      doseNumber: dose,
      seriesDoses: of,
      date,
      lot,
      manufacturer: 'Sanjivani Biologicals (invented)',
      expiry: momentBefore(desk.now, ago - 420, 0).slice(0, 10),
      ...(nextInDays !== undefined && { nextDue: momentBefore(desk.now, ago - nextInDays, 0).slice(0, 10) }),
    }
  })
  const base = head(desk, where, date, 'Immunisation record')
  put(desk, where, 'VAC', { hiType: 'ImmunizationRecord', ...base, immunisations })
}

function writeScan(desk: Desk, where: Where, date: string, title: string, lines: readonly string[]): void {
  const base = head(desk, where, date, title)
  const { organisation, author, patient } = base
  const page = [organisation.name, `Date: ${showDate(date)}`, `Patient: ${patient.name} (${patient.mrn})`, '', ...lines]
  const data = makePdf(title, [...page, '', author.name, `Registration ${author.registrationNumber}`])
  const documents = [{ title, contentType: 'application/pdf', data, date, kind: { text: title } }]
  put(desk, where, 'DOC', { hiType: 'HealthDocumentRecord', ...base, documents })
}

function writeBill(
  desk: Desk,
  where: Where,
  date: string,
  kind: InvoiceInput['kind'],
  items: InvoiceItemInput[],
): void {
  const number = `${PREFIX[where.holder]}/${date.slice(2, 4)}/${desk.random.whole(10_000, 99_999)}`
  put(desk, where, 'BIL', { hiType: 'Invoice', ...head(desk, where, date, 'Invoice'), number, kind, items })
}
