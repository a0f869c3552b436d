import { EXCHANGE_PROBLEMS } from './problems-exchange.ts'
import { FACILITY_PROBLEMS } from './problems-facility.ts'
import { GENERAL_PROBLEMS } from './problems-general.ts'

/**
 * The one register of problem codes. `docs/errors.md` is generated from it; a code is never reused for another meaning.
 *
 * `status` is the HTTP status of RFC 9457 answers; `title` is one plain sentence; `abdm` is the code on ABDM paths
 * (protocol sheet 3.5 and 3.6).
 */
export const PROBLEMS = {
  ...GENERAL_PROBLEMS,
  ...EXCHANGE_PROBLEMS,
  ...FACILITY_PROBLEMS,
} as const satisfies Record<string, { status: number; abdm: string; title: string }>

export type ProblemCode = keyof typeof PROBLEMS
