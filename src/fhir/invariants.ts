import fhirpath from 'fhirpath'
import r4 from 'fhirpath/fhir-context/r4'
import { isObject, type Obj } from './json.ts'
import type { ConstraintData } from './profile-data.ts'
import { type Around, isEachContainedUsed, USUAL, USUAL_OF_TEXT } from './usual-invariants.ts'

type Evaluate = (value: unknown, variables: { resource: Obj; rootResource: Obj }) => unknown[]

const compiled = new Map<string, Evaluate | undefined>()

/**
 * Whether `value` (an element at FHIRPath type or path `base`) holds a constraint; undefined when the expression
 * cannot be evaluated on it. Common R4 expressions are written in TypeScript, recognised by their text; every other
 * goes through fhirpath.js. An empty answer counts as held: nothing was found to be wrong.
 */
export function holds(constraint: ConstraintData, value: unknown, base: string, around: Around): boolean | undefined {
  // By key, as its wording differs between packages and fhirpath.js can evaluate none of them: `as()` on several values.
  if (constraint.key === 'dom-3' && isObject(value)) return isEachContainedUsed(value)
  const usual = isObject(value) ? USUAL.get(constraint.expression) : undefined
  if (usual !== undefined && isObject(value)) return usual(value, around)
  const ofText = typeof value === 'string' ? USUAL_OF_TEXT.get(constraint.expression) : undefined
  if (ofText !== undefined && typeof value === 'string') return ofText(value)
  const evaluate = compile(constraint.expression, base)
  if (evaluate === undefined) return undefined
  try {
    const answer = evaluate(value, { resource: around.resource, rootResource: around.root })
    return answer[0] !== false
  } catch {
    return undefined
  }
}

/** The same through fhirpath.js alone, for tests that compare. */
export function holdsByFhirPath(expression: string, value: Obj, base: string, around: Around): boolean | undefined {
  const evaluate = compile(expression, base)
  return evaluate === undefined
    ? undefined
    : evaluate(value, { resource: around.resource, rootResource: around.root })[0] !== false
}

function compile(expression: string, base: string): Evaluate | undefined {
  const key = `${base}\n${expression}`
  if (!compiled.has(key)) compiled.set(key, tryCompile(expression, base))
  return compiled.get(key)
}

function tryCompile(expression: string, base: string): Evaluate | undefined {
  try {
    return fhirpath.compile({ base, expression }, r4) as unknown as Evaluate
  } catch {
    return undefined
  }
}

/** ele-1: an element has a value or children; an `id` alone is neither. */
export function isHollow(value: Obj): boolean {
  for (const key of Object.keys(value)) if (key !== 'id') return false
  return true
}

/** ext-1: an extension has a value or extensions, never both, never neither. */
export function isWellFormedExtension(value: Obj): boolean {
  const hasValue = Object.keys(value).some((key) => /^_?value[A-Z]/.test(key))
  return hasValue !== (Array.isArray(value['extension']) && value['extension'].some(isObject))
}
