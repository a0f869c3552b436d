import type { TestEvent } from 'node:test/reporters'

/**
 * A reporter that tells only what failed, with where and why: printed again when all runs have ended, because the end of a long output
 * is what is read (and kept).
 */
async function* failedTests(source: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  for await (const event of source) {
    // What happens outside of every test fails the run, and is told as if it were mere information.
    if (event.type === 'test:diagnostic' && (event.data.level !== 'info' || event.data.message.startsWith('Error: ')))
      yield `! ${event.data.message}\n`
    if (event.type !== 'test:fail') continue
    const { name, file, line, details } = event.data
    const cause: unknown = details.error.cause ?? details.error
    // A suite fails with its tests, and says nothing of its own.
    if (details.type === 'suite' && !(cause instanceof Error)) continue
    yield `✖ ${name} (${file ?? '?'}:${String(line ?? 0)})\n${cause instanceof Error ? (cause.stack ?? cause.message) : String(cause)}\n\n`
  }
}

// The test runner takes a reporter only so.
export { failedTests as default }
