import type { RawBuilder } from 'kysely'
import type { AuditEvent } from './record.ts'

/** How a thing stands, as far as the log or its row says. */
export type Standing = Readonly<Record<string, string>>

/** What one event says of one thing. `undefined`: from this event on the log alone does not tell. */
export type Says = { readonly id: string; readonly now: Readonly<Record<string, string | undefined>> }

/** An event as it was read back: what its type promises may be absent in one of an earlier release. */
export type ReadEvent = AuditEvent & Readonly<Record<string, unknown>>

/**
 * How rows of one kind follow from the log. Every change of such a row is recorded in the transaction that makes it, so that the events
 * say how it must stand. `rows` is a query of `id`, `version` (`xmin`) and one text column for each thing that is compared.
 */
export type Replay = {
  /** In words, for an alarm. */
  readonly kind: string
  /** By an id of ours, or by the newest event where the id says who the patient is. */
  readonly named: 'by id' | 'by event'
  readonly says: Readonly<Record<string, (event: ReadEvent) => readonly Says[]>>
  /** What follows from all of it together. */
  readonly settle?: (standing: Standing) => Standing
} & (
  | { readonly about: 'patient'; readonly rows: (of: RowsOf) => RawBuilder<RowRead> }
  | { readonly about: 'nobody'; readonly rows: () => RawBuilder<RowRead> }
)

/** Whose rows, and of what the log says something. */
export type RowsOf = { readonly patient: string; readonly bucket: number; readonly ids: readonly string[] }

export type RowRead = { readonly id: string; readonly version: string } & Standing

export type LoggedEvent = { readonly id: string; readonly event: ReadEvent }

export type Logged = { readonly standing: Standing; readonly event: string }

/** A row that is not what the log says. */
export type Disagreement = {
  readonly kind: string
  /** The id of the thing, or the event that names it. */
  readonly name: string
  readonly what: 'differs' | 'is gone' | 'nothing recorded it'
  /** Names no patient. */
  readonly detail: string
  /** What makes this observation the same as another one. */
  readonly mark: string
}

/** The usual statement: the subject of the event stands so from now on. */
export function stands(now: Says['now']): (event: ReadEvent) => readonly Says[] {
  return ({ subject }) => (subject === undefined ? [] : [{ id: subject, now }])
}

/** A field of an event, if it has it as text. */
export function textOf(event: ReadEvent, field: string): string | undefined {
  const value = event[field]
  return typeof value === 'string' ? value : undefined
}

/** How everything of one kind must stand after `events`, which are in the order of the log. */
export function replay(
  { says, settle }: Pick<Replay, 'says' | 'settle'>,
  events: readonly LoggedEvent[],
): ReadonlyMap<string, Logged> {
  const things = new Map<string, { standing: Map<string, string>; event: string }>()
  for (const { id: event, event: what } of events)
    for (const { id, now } of says[what.type]?.(what) ?? []) {
      const standing = things.get(id)?.standing ?? new Map<string, string>()
      for (const [field, value] of Object.entries(now))
        if (value === undefined) standing.delete(field)
        else standing.set(field, value)
      things.set(id, { standing, event })
    }
  return new Map(
    [...things].map(([id, { standing, event }]) => {
      const said: Standing = Object.fromEntries(standing)
      return [id, { standing: settle?.(said) ?? said, event }]
    }),
  )
}

/** Where the rows of one kind are not what {@link replay} says. Both were read in one snapshot. */
export function disagreements(
  kind: Pick<Replay, 'kind' | 'named'>,
  logged: ReadonlyMap<string, Logged>,
  rows: readonly RowRead[],
): readonly Disagreement[] {
  const found: Disagreement[] = []
  const add = (id: string, event: string | undefined, what: Disagreement['what'], detail: string, mark: string) => {
    const name = kind.named === 'by id' ? id : (event ?? 'unknown')
    const last = event === undefined ? '' : `, last in event ${event}`
    found.push({
      kind: kind.kind,
      name,
      what,
      detail: `${kind.kind} ${name}: ${detail}${last}.`,
      mark: [kind.kind, id, event, what, mark].join('\n'),
    })
  }
  const seen = new Set<string>()
  for (const { id, version, ...row } of rows) {
    seen.add(id)
    const said = logged.get(id)
    if (said === undefined) {
      add(id, undefined, 'nothing recorded it', 'there is a row, and no event of the log made it', version)
      continue
    }
    const wrong = Object.entries(said.standing).filter(([field, value]) => row[field] !== value)
    if (wrong.length > 0) {
      const detail = wrong.map(
        ([field, value]) => `${field} is ${row[field] ?? 'absent'} in the row and ${value} in the log`,
      )
      add(id, said.event, 'differs', detail.join('; '), version)
    }
  }
  for (const [id, { event }] of logged)
    if (!seen.has(id)) add(id, event, 'is gone', 'the log has it and there is no row', '')
  return found
}
