import type { DocumentInput } from '../../fhir/build/inputs.ts'

/** An invented person of the sample network. Nobody alive has these numbers. */
export type DemoPatient = {
  readonly abhaAddress: string
  /** 14 digits, `9100000000NNNN`: outside every range that ABDM issues. */
  readonly abhaNumber: string
  readonly name: string
  readonly gender: 'M' | 'F' | 'O'
  /** `YYYY-MM-DD` */
  readonly birthDate: string
  /** `90000000NN` */
  readonly mobile: string
  readonly email?: string
  readonly address: {
    readonly line: string
    readonly district: string
    readonly state: string
    readonly pincode: string
  }
  /** BCP 47: `hi`, `mr`, `ta` … */
  readonly language: string
  /** ABHA address of the guardian, for a child. */
  readonly guardian?: string
  readonly deceased?: never
}

/** The parties of the sample network that hold records. */
export const HOLDERS = {
  tarangini: { name: 'Tarangini Hospital', facilityId: 'IN2710000011', place: 'Pune' },
  vanashree: { name: 'Vanashree Medical Centre', facilityId: 'IN2910000022', place: 'Bengaluru' },
  pratibimb: { name: 'Pratibimb Diagnostics', facilityId: 'IN2710000033', place: 'Pune' },
  aushadhika: { name: 'Aushadhika Pharmacy', facilityId: 'IN2710000044', place: 'Pune' },
  chhatraksha: { name: 'Chhatraksha Health Insurance', facilityId: 'IN2710000055', place: 'Mumbai' },
} as const

export type Holder = keyof typeof HOLDERS

/** One document at its holder. */
export type DemoCareContext = {
  readonly careContextReference: string
  /** What discovery shows before any consent: kind of visit and date, never clinical words. */
  readonly display: string
  readonly hiType: DocumentInput['hiType']
  /** Moment of the document, `2026-01-12T10:30:00+05:30`. */
  readonly date: string
  readonly document: DocumentInput
}

/** What one holder has about one patient. */
export type DemoHolding = {
  readonly holder: Holder
  readonly abhaAddress: string
  /** The patient's number at this holder (`patientReference` on the wire). */
  readonly mrn: string
  readonly careContexts: readonly DemoCareContext[]
}

export type Population = {
  readonly patients: readonly DemoPatient[]
  readonly holdings: readonly DemoHolding[]
}
