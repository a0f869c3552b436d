import pg from 'pg'
import type { Veil } from './veil.ts'

/** The PostgreSQL types (by OID) that we read otherwise than `pg` does. */
const INT8 = 20
const TEXT = 25
const VARCHAR = 1043
const TEXT_ARRAY = 1009
const DATE = 1082
const TIMESTAMP = 1114
const JSON_TEXT = 114
const JSONB = 3802

type Parser = (text: string) => unknown

const parserOf = pg.types.getTypeParser as (oid: number, format?: string) => Parser

/** How values are read from the database: numbers that lose nothing, days without a zone, and what the veil covers. */
export function typesFor(veil: Veil): pg.CustomTypesConfig {
  const textsOf = parserOf(TEXT_ARRAY) as (text: string) => readonly (string | null)[]
  const parsers = new Map<number, Parser>([
    [INT8, parseSafeInteger],
    // A calendar day has no time zone: `pg` would make it a moment in the zone of this machine.
    [DATE, (text) => text],
    [TIMESTAMP, (text) => text],
    [JSON_TEXT, (text) => JSON.parse(veil.liftJson(text)) as unknown],
    [JSONB, (text) => JSON.parse(veil.liftJson(text)) as unknown],
    [TEXT, veil.lift],
    [VARCHAR, veil.lift],
    [TEXT_ARRAY, (text) => textsOf(text).map((each) => (each === null ? null : veil.lift(each)))],
  ])
  return {
    getTypeParser: ((oid: number, format?: 'text' | 'binary') =>
      (format === 'binary' ? undefined : parsers.get(oid)) ??
      parserOf(oid, format)) as pg.CustomTypesConfig['getTypeParser'],
  }
}

/** Reads `int8` (counts, sums, log positions) as a number; one beyond 2^53 - 1 fails its query in place of losing digits. */
function parseSafeInteger(text: string): number {
  const value = Number(text)
  if (Number.isSafeInteger(value)) return value
  throw new RangeError(`The database returned the integer ${text}, which is too large to be read exactly.`)
}
