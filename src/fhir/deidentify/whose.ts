import { parseAbhaAddress, parseAbhaNumber } from '../../kernel/id.ts'
import { isObject, type Obj } from '../json.ts'

/**
 * By which names the documents of one person are known to be hers: the identifiers of the document's first Patient, an ABHA number in one
 * form however it is written. Sorted, the surest first; none when there is no identifier.
 */
export function namesOf(bundle: Obj): readonly string[] {
  const entries = Array.isArray(bundle['entry']) ? bundle['entry'].filter(isObject) : []
  const patient = entries
    .map(({ resource }) => resource)
    .find((one) => isObject(one) && one['resourceType'] === 'Patient')
  const identifiers = isObject(patient) && Array.isArray(patient['identifier']) ? patient['identifier'] : []
  const names = identifiers.filter(isObject).flatMap(({ system, value }) => {
    if (typeof value !== 'string' || value.trim() === '') return []
    const number = parseAbhaNumber(value.trim())
    if (number !== undefined) return [`1|${number}`]
    const address = parseAbhaAddress(value.trim().toLowerCase())
    return [address === undefined ? `3|${JSON.stringify([system ?? null, value.trim()])}` : `2|${address}`]
  })
  return [...new Set(names)].toSorted()
}

/**
 * One name for whom each document is about: documents that share any identifier are of one person, through a third document too. Counted as
 * two she would seem to hide behind herself. Takes the names of each document in their order, and answers in that order.
 */
export function personsBehind(documents: readonly (readonly string[])[]): readonly (string | undefined)[] {
  const known = new Map<string, Set<string>>()
  for (const names of documents) {
    const all = new Set([...names, ...names.flatMap((name) => [...(known.get(name) ?? [])])])
    for (const name of all) known.set(name, all)
  }
  return documents.map(([first]) => (first === undefined ? undefined : [...(known.get(first) ?? [])].toSorted()[0]))
}
