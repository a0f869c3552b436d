import type { CDPSession } from 'playwright-core'
import type { Visitor } from './web-world.ts'

/** The line on which the figures are promised: 1.6 Mbit/s down, 750 kbit/s up, 150 ms there and back; and a phone four times slower than this machine. */
export const SLOW_LINE = {
  downBytesPerS: 1_600_000 / 8,
  upBytesPerS: 750_000 / 8,
  latencyMs: 150,
  cpuSlower: 4,
} as const

export type FirstLoad = {
  /** Compressed bytes of scripts that came over the line before the first page was usable. */
  readonly scriptBytes: number
  readonly styleBytes: number
  readonly fontBytes: number
  readonly allBytes: number
  readonly requests: number
  readonly firstContentMs: number
  readonly largestContentMs: number
  /** Until the first field can be typed into. */
  readonly interactiveMs: number
  /** Sum of what long tasks took beyond 50 ms each, until then (total blocking time). */
  readonly blockedMs: number
  readonly layoutShift: number
}

type Sizes = { script: number; style: number; font: number; all: number; requests: number }

/** Opens a page for the first time, with nothing kept, and measures as the usual tools do. `ready` = what must be there to act. */
export async function measureFirstLoad(
  visitor: Visitor,
  at: string,
  ready: string,
  line?: typeof SLOW_LINE,
): Promise<FirstLoad> {
  const { page, context } = visitor
  const devtools = await context.newCDPSession(page)
  const sizes = await countBytes(devtools)
  if (line !== undefined) await slowDown(devtools, line)
  await page.addInitScript(() => {
    const seen = { lcp: 0, cls: 0, blocked: 0 }
    Object.assign(globalThis, { seenByTest: seen })
    const watch = (type: string, see: (entry: PerformanceEntry) => void): void =>
      new PerformanceObserver((list) => list.getEntries().forEach(see)).observe({ type, buffered: true })
    watch('largest-contentful-paint', (entry) => {
      seen.lcp = entry.startTime
    })
    watch('layout-shift', (entry) => {
      seen.cls += (entry as unknown as { value: number }).value
    })
    watch('longtask', (entry) => {
      seen.blocked += Math.max(0, entry.duration - 50)
    })
  })
  await visitor.goto(at)
  await page.locator(ready).first().waitFor()
  const timings = await page.evaluate(() => {
    const { lcp, cls, blocked } = (
      globalThis as unknown as { seenByTest: { lcp: number; cls: number; blocked: number } }
    ).seenByTest
    const paint = performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0
    return { now: performance.now(), lcp, cls, blocked, paint }
  })
  const until = { ...sizes }
  await devtools.detach()
  return {
    scriptBytes: until.script,
    styleBytes: until.style,
    fontBytes: until.font,
    allBytes: until.all,
    requests: until.requests,
    firstContentMs: timings.paint,
    largestContentMs: timings.lcp,
    interactiveMs: timings.now,
    blockedMs: timings.blocked,
    layoutShift: timings.cls,
  }
}

async function countBytes(devtools: CDPSession): Promise<Sizes> {
  const sizes: Sizes = { script: 0, style: 0, font: 0, all: 0, requests: 0 }
  const kinds = new Map<string, string>()
  await devtools.send('Network.enable')
  await devtools.send('Network.setCacheDisabled', { cacheDisabled: true })
  devtools.on('Network.responseReceived', ({ requestId, type }) => kinds.set(requestId, type))
  devtools.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => {
    const kind = kinds.get(requestId)
    sizes.requests++
    sizes.all += encodedDataLength
    if (kind === 'Script') sizes.script += encodedDataLength
    if (kind === 'Stylesheet') sizes.style += encodedDataLength
    if (kind === 'Font') sizes.font += encodedDataLength
  })
  return sizes
}

async function slowDown(devtools: CDPSession, line: typeof SLOW_LINE): Promise<void> {
  await devtools.send('Network.emulateNetworkConditions', {
    offline: false,
    latency: line.latencyMs,
    downloadThroughput: line.downBytesPerS,
    uploadThroughput: line.upBytesPerS,
  })
  await devtools.send('Emulation.setCPUThrottlingRate', { rate: line.cpuSlower })
}
