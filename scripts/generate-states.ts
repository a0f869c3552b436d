import { findExports } from './find-exports.ts'

/** `docs/states.md`: every move that a thing with states can make. */
export async function statesPage(): Promise<string> {
  const rooms = (await findExports('MOVES')).concat(await findExports('REQUEST_MOVES'), await findExports('ARTEFACT_MOVES'), await findExports('TRANSFER_MOVES'))
  const parts = rooms.map(({ file, value }) => {
    const moves = Object.entries(value as Record<string, readonly string[]>)
    const arrows = moves.flatMap(([from, to]) => (to.length === 0 ? [`  ${id(from)} --> [*]`] : to.map((next) => `  ${id(from)} --> ${id(next)}`)))
    const names = moves.filter(([from]) => id(from) !== from).map(([from]) => `  state "${from}" as ${id(from)}`)
    return `## ${file}\n\n\`\`\`mermaid\nstateDiagram-v2\n${[...names, ...arrows].join('\n')}\n\`\`\`\n`
  })
  return `# States

Generated from the tables of moves by \`npm run generate\`. Nothing else allows a move: the SQL of each names the old status and insists on one row.

${parts.join('\n')}`
}

/** Mermaid takes no dashes in a state's id. */
function id(status: string): string {
  return status.replaceAll('-', '_')
}
