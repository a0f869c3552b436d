import type { Concept, InvoiceItemInput, ObservationInput } from '../../fhir/build/inputs.ts'
import { daysSince } from './calendar.ts'
import { CONDITIONS } from './conditions.ts'
import type { DoctorName } from './doctors.ts'
import { result, type TestName } from './laboratory.ts'
import type { Given, Ledger, VisitFacts } from './ledger.ts'
import { MEDICINES, type MedicineName, prescribed } from './medicines.ts'
import { CHILD_SCHEDULE } from './vaccines.ts'

/** What happens to many people in much the same way. Days are counted back from now. */

type Consult = {
  readonly for: readonly (keyof typeof CONDITIONS)[]
  readonly found?: readonly ObservationInput[]
  readonly known?: readonly (readonly [keyof typeof CONDITIONS, year: string])[]
  readonly give?: readonly (readonly [MedicineName, days: number])[]
  readonly advise?: readonly string[]
  readonly refer?: string
  readonly again?: number
  readonly doctor?: DoctorName
}

/** A visit to the person's hospital, and the prescription that comes of it. */
export function consult(ledger: Ledger, ago: number, facts: Consult): void {
  const where = { holder: ledger.home, ...(facts.doctor && { doctor: facts.doctor }) }
  const medications = (facts.give ?? []).map(([name, days]) => prescribed(name, days))
  const visit: VisitFacts = {
    complaints: facts.for.map((name) => ({ what: CONDITIONS[name] })),
    ...(facts.found && { examination: [...facts.found] }),
    ...(facts.known && {
      history: facts.known.map(([name, onset]) => ({ kind: 'condition' as const, what: CONDITIONS[name], onset })),
    }),
    ...(medications.length > 0 && { medications }),
    ...(facts.advise && { investigationsAdvised: facts.advise.map((text) => ({ what: { text } })) }),
    ...(facts.refer !== undefined && { referrals: [{ what: { text: facts.refer } }] }),
    ...(facts.again !== undefined && { followUpIn: facts.again }),
  }
  ledger.visit(ago, where, visit)
  if (medications.length > 0) ledger.prescribe(ago, where, medications)
}

/** Results by name: `results({ hba1c: 8.1 })`. */
export function results(values: Partial<Record<TestName, number>>): ObservationInput[] {
  return Object.entries(values).map(([name, value]) => result(name as TestName, value))
}

/** The year, `ago` days back, as people remember the beginning of an illness. */
export function yearOf(ledger: Ledger, ago: number): string {
  return new Date(ledger.now.getTime() - ago * 86_400_000).toISOString().slice(0, 4)
}

/** The medicines at the pharmacy's counter: 12 % tax within the price, in halves. */
export function buyMedicines(ledger: Ledger, ago: number, names: readonly MedicineName[]): void {
  const items = names.map((name): InvoiceItemInput => {
    const mrp = ledger.random.whole(18, 160)
    return {
      description: MEDICINES[name].medicine.text,
      category: 'Medicines',
      quantity: ledger.random.whole(1, 3),
      unit: 'pack',
      rate: Math.round((mrp / 1.12) * 100) / 100,
      mrp,
      discountPercent: 5,
      cgstPercent: 6,
      sgstPercent: 6,
    }
  })
  const holder = ledger.home === 'tarangini' ? 'aushadhika' : ledger.home
  ledger.bill(ago, { holder }, 'Pharmacy', items)
}

/** Consultation fee and what was done on the day; health services bear no tax. */
export function payVisit(ledger: Ledger, ago: number, done: readonly (readonly [string, number])[] = []): void {
  const fee: InvoiceItemInput = { description: 'Consultation', category: 'Consultation', quantity: 1, rate: 600 }
  const others = done.map(
    ([description, rate]): InvoiceItemInput => ({ description, category: 'Others', quantity: 1, rate }),
  )
  ledger.bill(ago, { holder: ledger.home }, 'OPD', [fee, ...others])
}

/** The hospital's bill for a stay; for the insured, the same bill lies with the insurer as a claim. */
export function payStay(
  ledger: Ledger,
  ago: number,
  days: number,
  procedure: readonly [string, number],
  insured = false,
): void {
  const items: InvoiceItemInput[] = [
    { description: 'Bed and board', category: 'Others', quantity: days, unit: 'day', rate: 2800 },
    { description: 'Nursing', category: 'Nursing Charges', quantity: days, unit: 'day', rate: 650 },
    { description: procedure[0], category: 'Others', quantity: 1, rate: procedure[1] },
    {
      description: 'Medicines and consumables',
      category: 'Medicines',
      quantity: 1,
      rate: 6200,
      cgstPercent: 6,
      sgstPercent: 6,
    },
    { description: 'Laboratory tests', category: 'Pathology', quantity: 1, rate: 2400 },
  ]
  ledger.bill(ago, { holder: ledger.home }, 'IPD', items)
  if (insured) ledger.bill(ago - 4, { holder: 'chhatraksha' }, 'IPD', items)
}

/** The vaccinations of childhood that were due by now, one paper per visit. */
export function grewUpVaccinated(ledger: Ledger, doctor: DoctorName, delayDaysMax = 6): void {
  const age = daysSince(ledger.now, ledger.patient.birthDate)
  const visits = Map.groupBy(CHILD_SCHEDULE, ([due]) => due)
  for (const [due, doses] of visits) {
    const ago = age - due - (due === 0 ? 1 : ledger.random.whole(0, delayDaysMax))
    if (ago < 1) continue
    const given = doses.map(([, vaccine, dose, of]): Given => {
      const next = CHILD_SCHEDULE.find(([, name, number]) => name === vaccine && number === dose + 1)
      const wait = next ? next[0] - due : 0
      return wait > 0 ? { vaccine, dose, of, nextInDays: wait } : { vaccine, dose, of }
    })
    ledger.vaccinate(ago, { holder: ledger.home, doctor }, given)
  }
}

/** A check of thyroid hormone and the dose that follows, over the given days. */
export function thyroidCourse(
  ledger: Ledger,
  doctor: DoctorName,
  series: readonly (readonly [ago: number, tsh: number])[],
): void {
  for (const [at, [ago, tsh]] of series.entries()) {
    const free = tsh > 10 ? 0.6 : tsh > 4.5 ? 0.9 : 1.3
    const verdict = tsh > 4.5 ? 'TSH above the range.' : 'Thyroid hormone within the range.'
    ledger.lab(ago + 2, 'thyroid', results({ tsh, freeT4: free }), verdict)
    consult(ledger, ago, {
      for: at === 0 ? ['fatigue', 'hypothyroidism'] : ['hypothyroidism'],
      give: [['levothyroxine', 90]],
      advise: ['TSH after three months'],
      again: 90,
      doctor,
    })
  }
}

/** Three days of fever that turn out to be dengue: platelets fall and rise again. */
export function dengueCourse(ledger: Ledger, ago: number, doctor: DoctorName, isChild: boolean): void {
  const dengue: Concept = { text: 'Dengue NS1 antigen' }
  consult(ledger, ago, {
    for: ['fever', 'headache'],
    give: [[isChild ? 'paracetamolSyrup' : 'paracetamol', 3]],
    advise: ['Dengue NS1 antigen', 'Complete blood count'],
    again: 2,
    doctor,
  })
  ledger.lab(
    ago - 1,
    dengue,
    [{ code: dengue, value: { text: 'Positive' }, range: { text: 'Negative' }, flag: 'A' }],
    'NS1 antigen found.',
  )
  for (const [day, platelets] of [
    [1, 138],
    [3, 84],
    [5, 61],
    [8, 156],
  ] as const) {
    const values = { haemoglobin: 13.1, haematocrit: platelets < 100 ? 45 : 40, whiteCells: 3.4, platelets }
    ledger.lab(ago - day, 'blood', results(values), platelets < 100 ? 'Low platelets: repeat.' : 'Platelets noted.')
  }
  consult(ledger, ago - 9, { for: ['dengue'], again: 14, doctor })
}
