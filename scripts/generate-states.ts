import { findExports } from './find-exports.ts'

type Moves = Readonly<Record<string, readonly string[] | Readonly<Record<string, unknown>>>>

/** `docs/states.md`: every move that a thing with states can make. */
export async function statesPage(): Promise<string> {
  const rooms = await findExports(/MOVES$/)
  const parts = rooms.flatMap(({ name, file, value }) => {
    const heading = `${file.replace(/^src\/|\.ts$/g, '')}${
      name === 'MOVES'
        ? ''
        : `: ${name
            .toLowerCase()
            .replace(/_?moves$/, '')
            .replaceAll('_', ' ')}`
    }`
    return tablesOf(value as Moves).map(
      ([part, moves]) => `## ${heading}${part ? `: ${part}` : ''}\n\n${diagram(moves)}`,
    )
  })
  return `# States

Generated from the tables of moves by \`npm run generate\`. Nothing else allows a move: the SQL of each names the old status and insists on one row.

${parts.join('\n')}`
}

type Table = readonly (readonly [from: string, to: readonly string[]])[]

/** A table of moves is `{from: [to, …]}`, `{from: {verb: to}}`, or several of them by name. */
function tablesOf(value: Moves): readonly (readonly [part: string, table: Table])[] {
  const rows = Object.entries(value)
  const isFlat = rows.every(
    ([, to]) => Array.isArray(to) || Object.values(to).every((next) => typeof next === 'string'),
  )
  if (!isFlat)
    return rows.flatMap(([part, inner]) =>
      tablesOf(inner as Moves).map(([more, table]) => [more ? `${part} ${more}` : part, table] as const),
    )
  return [
    [
      '',
      rows.map(
        ([from, to]) =>
          [from, [...new Set(Array.isArray(to) ? (to as string[]) : (Object.values(to) as string[]))]] as const,
      ),
    ],
  ]
}

function diagram(table: Table): string {
  const arrows = table.flatMap(([from, to]) =>
    to.length === 0 ? [`  ${id(from)} --> [*]`] : to.map((next) => `  ${id(from)} --> ${id(next)}`),
  )
  const names = table.filter(([from]) => id(from) !== from).map(([from]) => `  state "${from}" as ${id(from)}`)
  return `\`\`\`mermaid\nstateDiagram-v2\n${[...names, ...arrows].join('\n')}\n\`\`\`\n`
}

/** Mermaid takes no dashes in a state's id. */
function id(status: string): string {
  return status.replaceAll('-', '_')
}
