// What a person waits for when she opens the patient app for the first time, in a real browser with nothing kept: at full speed, and on a
// line of 1.6 Mbit/s with 150 ms there and back on a phone four times slower. Baseline: an empty page of the same server on the same line.
// Run: npm run bench -- web
import { type FirstLoad, measureFirstLoad, SLOW_LINE } from '../test/browser/first-load.ts'
import { WebWorld } from '../test/browser/web-world.ts'
import { say } from './measure.ts'
import { startBenchServer } from './server.ts'

const ROUNDS = 5
const FIELD = 'main input'

const stopServer = await startBenchServer()
const world = await WebWorld.start()
try {
  for (const language of ['en', 'hi', 'ur'] as const) {
    for (const line of [undefined, SLOW_LINE] as const) {
      const app = await median(language, '/me', FIELD, line)
      const empty = await median(language, '/health/live', 'body', line)
      const kb = (bytes: number): string => `${(bytes / 1024).toFixed(0)} KB`
      say(
        `first load, ${language}, ${line === undefined ? 'full speed' : '1.6 Mbit/s, 150 ms, slow phone'}`,
        app.interactiveMs / empty.interactiveMs,
        'an empty page',
        `usable after ${(app.interactiveMs / 1000).toFixed(2)} s, first content ${(app.firstContentMs / 1000).toFixed(2)} s, largest ${(app.largestContentMs / 1000).toFixed(2)} s, ` +
          `blocked ${app.blockedMs.toFixed(0)} ms, shift ${app.layoutShift.toFixed(3)}; scripts ${kb(app.scriptBytes)}, styles ${kb(app.styleBytes)}, fonts ${kb(app.fontBytes)}, ${app.requests} requests`,
      )
    }
  }
} finally {
  await world.stop()
  await stopServer()
}

async function median(
  language: 'en' | 'hi' | 'ur',
  at: string,
  ready: string,
  line: typeof SLOW_LINE | undefined,
): Promise<FirstLoad> {
  const loads: FirstLoad[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const visitor = await world.visitor('sbx', { language, serviceWorkers: 'block' })
    loads.push(await measureFirstLoad(visitor, at, ready, line))
    await visitor.close()
  }
  const sorted = loads.toSorted((a, b) => a.interactiveMs - b.interactiveMs)
  const middle = sorted[Math.floor(ROUNDS / 2)]
  if (middle === undefined) throw new Error('nothing was measured')
  return middle
}
