type Block = { table: string; text: string }

const KINDS = /^comment on table \S+ is '(by patient|reference|local): .+';$/m

/**
 * Reads a dump of the schema (`dumpSchema`) for the rules that keep distribution a matter of configuration: each table says in its
 * comment whether it is by patient, reference or local; a by-patient table has `bucket smallint not null`, first in its primary key,
 * and inside each unique constraint, unique index and foreign key (a foreign key to a reference table, which every shard has, needs none).
 * Returns what breaks them, as `table: what`.
 */
export function breachesOfBuckets(dump: string): string[] {
  const blocks = [
    ...dump.matchAll(
      /^create table (\S+) \($[\s\S]*?(?=^create table |^create type |^CREATE OR REPLACE |(?![\s\S]))/gm,
    ),
  ].map((match): Block => ({ table: match[1] ?? '', text: match[0] }))
  const kinds = new Map(blocks.map(({ table, text }) => [table, KINDS.exec(text)?.[1]]))
  return blocks.flatMap((block) => {
    const kind = kinds.get(block.table)
    if (kind === undefined)
      return [`${block.table}: has no comment of a kind: 'by patient: …', 'reference: …' or 'local: …'`]
    return kind === 'by patient' ? breachesOf(block, kinds) : []
  })
}

function breachesOf({ table, text }: Block, kinds: ReadonlyMap<string, string | undefined>): string[] {
  const found: string[] = []
  if (!/^ {2}bucket smallint not null/m.test(text)) found.push(`${table}: has no column "bucket smallint not null"`)
  if (!/ PRIMARY KEY \(bucket\b/.test(text)) found.push(`${table}: its primary key does not begin with bucket`)
  for (const [line, name, columns] of text.matchAll(
    /^ {2}constraint (\S+) UNIQUE (?:NULLS NOT DISTINCT )?\(([^)]*)\)/gm,
  )) {
    if (!hasBucket(columns)) found.push(`${table}: ${name} is unique without bucket (${line.trim()})`)
  }
  for (const [, name, columns] of text.matchAll(/^CREATE UNIQUE INDEX (\S+) ON \S+ USING \w+ \(([^)]*)\)/gm)) {
    if (!hasBucket(columns)) found.push(`${table}: the index ${name} is unique without bucket`)
  }
  for (const [, name, columns, target] of text.matchAll(
    /^ {2}constraint (\S+) FOREIGN KEY \(([^)]*)\) REFERENCES (\w+)/gm,
  )) {
    const isReference = kinds.get(target ?? '') === 'reference'
    if (!hasBucket(columns) && !isReference) found.push(`${table}: the foreign key ${name} to ${target} has no bucket`)
  }
  return found
}

function hasBucket(columns: string | undefined): boolean {
  return columns?.split(',').some((column) => column.trim() === 'bucket') ?? false
}
