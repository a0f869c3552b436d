import { writeAsha } from './asha.ts'
import { type Ledger, makeRegister, openLedger } from './ledger.ts'
import type { DemoCareContext, DemoHolding, DemoPatient, Holder, Population } from './person.ts'
import { makeRandom } from './random.ts'
import { makePatients } from './roster.ts'
import { BENGALURU_STORIES } from './stories-bengaluru.ts'
import { PUNE_ELDERS } from './stories-pune-elders.ts'
import { PUNE_FAMILIES } from './stories-pune-families.ts'

const MRN_PREFIX: Readonly<Record<Holder, string>> = {
  tarangini: 'TGH',
  vanashree: 'VMC',
  pratibimb: 'PBD',
  aushadhika: 'ASP',
  chhatraksha: 'CHI',
}

/**
 * The invented people of the sample network and what each holder has about them, up to `now`.
 *
 * The same `now` and `seed` give the same population. All dates are counted back from `now`; every document passes
 * `documentInput`. Nobody here lives, nor do the doctors; the ABHA numbers lie outside the range that is issued.
 */
export function makePopulation(now: Date, seed: number): Population {
  const patients = makePatients(now)
  const register = makeRegister()
  const holdings = patients.flatMap((patient, at) => {
    const holdingsOf = new Map<Holder, DemoCareContext[]>()
    const mrnOf = (holder: Holder) => `${MRN_PREFIX[holder]}-${String(1200 + at * 37).padStart(6, '0')}`
    const file = (holder: Holder, context: DemoCareContext) => {
      holdingsOf.set(holder, [...(holdingsOf.get(holder) ?? []), context])
    }
    const { home, write } = storyOf(patient)
    // A source per person, so that a longer story of one changes nobody else's.
    write(
      openLedger({
        patient,
        now,
        random: makeRandom(seed * 1000 + at),
        home,
        register,
        file,
        mrnOf,
        repeats: new Map(),
      }),
    )
    return [...holdingsOf].map(([holder, careContexts]): DemoHolding => {
      const oldestFirst = careContexts.toSorted((a, b) => Date.parse(a.date) - Date.parse(b.date))
      return { holder, abhaAddress: patient.abhaAddress, mrn: mrnOf(holder), careContexts: oldestFirst }
    })
  })
  return { patients, holdings }
}

type Story = { readonly home: 'tarangini' | 'vanashree'; readonly write: (ledger: Ledger) => void }

function storyOf({ abhaAddress }: DemoPatient): Story {
  if (abhaAddress === 'asha.rao@sbx') return { home: 'tarangini', write: writeAsha }
  const pune = PUNE_FAMILIES[abhaAddress] ?? PUNE_ELDERS[abhaAddress]
  if (pune) return { home: 'tarangini', write: pune }
  const bengaluru = BENGALURU_STORIES[abhaAddress]
  if (bengaluru) return { home: 'vanashree', write: bengaluru }
  throw new Error(`no story was written for ${abhaAddress}`)
}
