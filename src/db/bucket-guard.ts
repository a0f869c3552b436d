import {
  type CompiledQuery,
  PostgresDialect,
  type PostgresDialectConfig,
  PostgresQueryCompiler,
  type QueryId,
  type RootOperationNode,
} from 'kysely'
import { byPatientTables } from './tables.generated.ts'

/** A query that would have to ask every shard of a distributed database. */
export class MissingBucket extends Error {
  override readonly name = 'MissingBucket'
}

/** A table, or a list of tables with or without aliases, after a word that a table follows. */
const TABLE_LIST = (() => {
  const name = String.raw`(?:"?\w+"?\.)?"?\w+"?`
  const item = String.raw`${name}(?:\s+(?:as\s+)?"?\w+"?)?`
  return new RegExp(String.raw`\b(?:from|join|into|update|using|only)\s+((?:${item}\s*,\s*)*${name})`, 'gi')
})()

/** The names of the tables in such a list, without schema, alias and quotes. */
function namesIn(list: string): string[] {
  return list.split(',').map((item) => /^(?:"?\w+"?\.)?"?(\w+)"?/.exec(item.trim())?.[1] ?? '')
}

/** Every way in which a query says which shards it means: compares, inserts, joins or groups by `bucket`. */
const BUCKET_NAMED = new RegExp(
  [
    String.raw`"?\bbucket\b"?\s*(?:::\w+\s*)?(?:=|<|>|\bin\b|\bbetween\b)`,
    String.raw`(?:=|<|>)\s*(?:"?\w+"?\.)?"?\bbucket\b`,
    String.raw`\(\s*(?:"?\w+"?\.)?"?\bbucket\b"?\s*,`,
    String.raw`\busing\s*\(\s*"?\bbucket\b`,
    String.raw`\bgroup by\s+(?:"?\w+"?\.)?"?\bbucket\b`,
  ].join('|'),
  'gi',
)

/** How a query says why it is meant to run over all shards: a comment that starts with these words and gives the reason. */
const ALL_BUCKETS = /\/\*\s*all buckets: \S/

/**
 * Checks the text of a query: each by-patient table in it needs its bucket named once.
 * @throws MissingBucket
 */
export function requireBuckets(text: string, tables: ReadonlySet<string>): void {
  if (ALL_BUCKETS.test(text)) return
  const bare = text.replace(/'(?:[^']|'')*'/g, "''").replace(/--.*$/gm, '')
  const touched = [...bare.matchAll(TABLE_LIST)]
    .flatMap((match) => namesIn(match[1] ?? ''))
    .filter((name) => tables.has(name))
  if (touched.length === 0) return
  const named = [...bare.matchAll(BUCKET_NAMED)].length
  if (named >= touched.length) return
  throw new MissingBucket(
    `The query names ${named} bucket(s) for ${touched.length} by-patient table(s) (${touched.join(', ')}): add bucket to its keys, joins and conditions. ${text}`,
  )
}

class GuardedCompiler extends PostgresQueryCompiler {
  override compileQuery(node: RootOperationNode, queryId: QueryId): CompiledQuery {
    const compiled = super.compileQuery(node, queryId)
    requireBuckets(compiled.sql, new Set<string>(byPatientTables))
    return compiled
  }
}

class GuardedDialect extends PostgresDialect {
  override createQueryCompiler(): PostgresQueryCompiler {
    return new GuardedCompiler()
  }
}

/** PostgreSQL for Kysely, which refuses queries over by-patient tables without `bucket`: for tests and development. */
export function bucketGuardedDialect(config: PostgresDialectConfig): PostgresDialect {
  return new GuardedDialect(config)
}
