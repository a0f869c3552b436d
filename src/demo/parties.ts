import { parseFacilityId } from '../kernel/id.ts'

/** The parties of the sample network. Names are invented. `key` names folders and databases. */
export type DemoParty = {
  readonly key: string
  readonly role: 'exchange' | 'facility'
  readonly id: string
  readonly name: string
  readonly what: string
  /** As a facility registry says it; none for the exchange. */
  readonly facilityTypes: readonly string[]
  /** ABDM service roles of a facility. */
  readonly services: readonly ('hip' | 'hiu')[]
}

/** In the order of their ports. */
export const DEMO_PARTIES: readonly DemoParty[] = [
  {
    key: 'exchange',
    role: 'exchange',
    id: 'sbx',
    name: 'Amanat Exchange',
    what: 'consent manager',
    facilityTypes: [],
    services: [],
  },
  {
    key: 'tarangini',
    role: 'facility',
    id: 'IN2710000011',
    name: 'Tarangini Hospital, Pune',
    what: 'hospital A',
    facilityTypes: ['Hospital'],
    services: ['hip', 'hiu'],
  },
  {
    key: 'vanashree',
    role: 'facility',
    id: 'IN2910000022',
    name: 'Vanashree Medical Centre, Bengaluru',
    what: 'hospital B',
    facilityTypes: ['Hospital'],
    services: ['hip', 'hiu'],
  },
  {
    key: 'pratibimb',
    role: 'facility',
    id: 'IN2710000033',
    name: 'Pratibimb Diagnostics, Pune',
    what: 'laboratory',
    facilityTypes: ['Diagnostic Laboratory'],
    services: ['hip', 'hiu'],
  },
  {
    key: 'aushadhika',
    role: 'facility',
    id: 'IN2710000044',
    name: 'Aushadhika Pharmacy, Pune',
    what: 'pharmacy',
    facilityTypes: ['Pharmacy'],
    services: ['hip', 'hiu'],
  },
  {
    key: 'chhatraksha',
    role: 'facility',
    id: 'IN2710000055',
    name: 'Chhatraksha Health Insurance, Mumbai',
    what: 'insurer',
    facilityTypes: ['Insurance'],
    services: ['hip', 'hiu'],
  },
]

for (const party of DEMO_PARTIES) {
  if (party.role === 'facility' && parseFacilityId(party.id) === undefined)
    throw new Error(`${party.id} is not a facility id`)
}
