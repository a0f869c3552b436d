import { findExports } from './find-exports.ts'

/** `docs/events.md`: what the log records. */
export async function eventsPage(): Promise<string> {
  const rooms = await findExports(/^EVENTS$/)
  const parts = rooms.map(({ file, value }) => {
    const rows = Object.entries(value as Record<string, string>).map(([type, words]) => `| \`${type}\` | ${words} |`)
    return `## ${file}\n\n| event | when |\n|---|---|\n${rows.join('\n')}\n`
  })
  return `# Events

Generated from the \`EVENTS\` of each room by \`npm run generate\`. Every change, decision, disclosure and access is one of these, recorded in the transaction that makes it
([log.md](log.md)).

${parts.join('\n')}`
}
