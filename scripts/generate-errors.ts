import { PROBLEMS } from '../src/kernel/problems.ts'

/** `docs/errors.md`: the register of problem codes. */
export function errorsPage(): string {
  const rows = Object.entries(PROBLEMS).map(
    ([code, { status, abdm, title }]) => `| \`${code}\` | ${status} | \`${abdm}\` | ${title} |`,
  )
  return `# Errors

Generated from \`src/kernel/problems.ts\` by \`npm run generate\`. A code never changes its meaning.

On native paths (\`/v1/…\`) an error is [RFC 9457](https://www.rfc-editor.org/rfc/rfc9457) problem details: \`type\` is \`urn:amanat:problem:<code>\`,
\`detail\` says what is wrong with this request, \`field\` where, and \`trace\` finds it in our logs. On ABDM paths (\`/api/…\`) it is
\`{"error": {"code", "message"}}\` with the ABDM code; in callbacks the same object stands in \`error\`.

| code | HTTP | ABDM | meaning |
|---|---|---|---|
${rows.join('\n')}
`
}
