import { createHash } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { DatabaseFault } from './database-fault.ts'

export const MIGRATIONS_FOLDER = path.join(import.meta.dirname, 'migrations')

/** From this number on a migration says how it is undone, or why it cannot be (docs/decisions/0030-recovery.md). */
export const UNDOABLE_FROM = 80

const DOWN = /\.down\.sql$/
const IRREVERSIBLE = /^-- irreversible: (\S.*)$/m

/** How a migration is undone: by SQL, or not at all, and why. */
export type Down =
  | { readonly kind: 'sql'; readonly text: string }
  | { readonly kind: 'irreversible'; readonly why: string }

export type Migration = {
  readonly number: number
  readonly name: string
  readonly checksum: string
  readonly text: string
  readonly down: Down
}

/**
 * Reads the numbered files `NNNN_name.sql`, each with `NNNN_name.down.sql` beside it. Each room has its own range of numbers, so there
 * are gaps, and a later release may add a number below the highest: a database runs whatever it has not seen, in order of the numbers.
 * @throws DatabaseFault `migration_misnamed`
 */
export function readMigrations(folder: string): readonly Migration[] {
  const files = fs.readdirSync(folder).filter((name) => name.endsWith('.sql'))
  const names = files.filter((name) => !DOWN.test(name)).sort()
  for (const down of files.filter((name) => DOWN.test(name))) {
    if (!names.includes(down.replace(DOWN, '.sql')))
      throw new DatabaseFault(
        'migration_misnamed',
        `${down} undoes no migration: there is no ${down.replace(DOWN, '.sql')}.`,
      )
  }
  let last = 0
  return names.map((name) => {
    const number = Number(/^(\d{4})_[a-z0-9_]+\.sql$/.exec(name)?.[1])
    if (!Number.isInteger(number)) {
      throw new DatabaseFault('migration_misnamed', `The migration ${name} must be called like 0001_what_it_does.sql.`)
    }
    if (number <= last) {
      throw new DatabaseFault('migration_misnamed', `Two migrations have the number of ${name}: each needs its own.`)
    }
    last = number
    const text = fs.readFileSync(path.join(folder, name), 'utf8')
    const checksum = createHash('sha256').update(text).digest('hex')
    return { number, name: name.replace(/\.sql$/, ''), checksum, text, down: readDown(folder, name) }
  })
}

function readDown(folder: string, name: string): Down {
  const file = path.join(folder, name.replace(/\.sql$/, '.down.sql'))
  if (!fs.existsSync(file)) return { kind: 'irreversible', why: 'it has no way back' }
  const text = fs.readFileSync(file, 'utf8')
  const why = IRREVERSIBLE.exec(text)?.[1]
  return why === undefined ? { kind: 'sql', text } : { kind: 'irreversible', why }
}
