import type { AbhaAddress } from '../kernel/id.ts'
import { type Refusal, refuse } from '../kernel/refusal.ts'
import type { ConsentAsk, Terms } from './hiu.ts'

type Wider = { readonly field: string; readonly says: string }

/** Some gateways write dates without milliseconds; what is cut off makes no difference. */
const seconds = (date: Date): number => Math.floor(date.getTime() / 1_000)

/**
 * Refuses an artefact that gives more than, or something else than, what was asked: every field is named, with what is wrong.
 * Narrower is fine: the patient may have cut types, dates and care contexts.
 */
export function checkWithinAsked(
  asked: ConsentAsk,
  given: Pick<Terms, 'purpose' | 'hiTypes' | 'range' | 'hip' | 'careContexts'> & { readonly patient: AbhaAddress },
): Refusal | undefined {
  const wider = [...widerSubject(asked, given), ...widerScope(asked, given)]
  const [first] = wider
  if (first === undefined) return undefined
  return refuse('hiu/artefact-wider', wider.map(({ field, says }) => `${field} ${says}`).join('; '), first.field)
}

function widerSubject(
  asked: ConsentAsk,
  given: Pick<Terms, 'purpose' | 'hip'> & { readonly patient: AbhaAddress },
): readonly Wider[] {
  const found: Wider[] = []
  if (given.patient !== asked.patient) found.push({ field: 'patient.id', says: 'is another patient' })
  if (given.purpose !== asked.purpose)
    found.push({ field: 'purpose.code', says: `is ${given.purpose}; asked for was ${asked.purpose}` })
  if (asked.hip !== undefined && given.hip?.id !== asked.hip.id)
    found.push({ field: 'hip.id', says: 'is not the provider that was asked' })
  return found
}

function widerScope(asked: ConsentAsk, given: Pick<Terms, 'hiTypes' | 'range' | 'careContexts'>): readonly Wider[] {
  const found: Wider[] = []
  const types = given.hiTypes.filter((type) => !asked.hiTypes.includes(type))
  if (types.length > 0) found.push({ field: 'hiTypes', says: `holds ${types.join(', ')}, which was not asked for` })
  const { from, to } = asked.range
  if (seconds(given.range.from) < seconds(from))
    found.push({ field: 'permission.dateRange.from', says: `is before ${from.toISOString()}` })
  if (seconds(given.range.to) > seconds(to))
    found.push({ field: 'permission.dateRange.to', says: `is after ${to.toISOString()}` })
  const extra = given.careContexts.filter(
    (context) =>
      asked.careContexts.length > 0 &&
      !asked.careContexts.some(
        ({ patientReference, careContextReference }) =>
          patientReference === context.patientReference && careContextReference === context.careContextReference,
      ),
  )
  if (extra.length > 0) found.push({ field: 'careContexts', says: `holds ${extra.length} that were not asked for` })
  // An empty list means any.
  if (asked.careContexts.length > 0 && given.careContexts.length === 0)
    found.push({ field: 'careContexts', says: 'is empty, which means any' })
  return found
}
