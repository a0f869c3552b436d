/** What the benches share: timing, and one form of printing in which the ratio comes first. */

export type Rate = {
  readonly perSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  /** Time of a processor that this process used for one turn: depends less than the others on what else the machine does. */
  readonly cpuMs: number
}

/** Middle value; the value below which the share `p` of all values lies. */
export function quantile(values: readonly number[], p: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(p * sorted.length))] ?? Number.NaN
}

/** Runs `work` `total` times by `clients` at once, each of which starts its next turn when its last one has ended. */
export async function load(total: number, clients: number, work: (turn: number) => Promise<unknown>): Promise<Rate> {
  const times: number[] = []
  let next = 0
  const client = async (): Promise<void> => {
    for (let turn = next++; turn < total; turn = next++) {
      const started = performance.now()
      await work(turn)
      times.push(performance.now() - started)
    }
  }
  const used = process.cpuUsage()
  const started = performance.now()
  await Promise.all(Array.from({ length: clients }, client))
  const seconds = (performance.now() - started) / 1000
  const { user, system } = process.cpuUsage(used)
  const cpuMs = (user + system) / 1000 / total
  return { perSecond: total / seconds, p50Ms: quantile(times, 0.5), p99Ms: quantile(times, 0.99), cpuMs }
}

/** Median milliseconds of each work; they take turns, so that a busy machine slows all of them. */
export function compare(runs: number, works: readonly (() => unknown)[], warmUps = 5): readonly number[] {
  const times: number[][] = works.map(() => [])
  for (let run = -warmUps; run < runs; run++) {
    for (const [i, work] of works.entries()) {
      const started = performance.now()
      work()
      if (run >= 0) times[i]?.push(performance.now() - started)
    }
  }
  return times.map((list) => quantile(list, 0.5))
}

export const cpu = (rate: Rate): string => `${ms(rate.cpuMs)} of processor`
export const perSecond = (rate: Rate): string => `${rate.perSecond.toFixed(rate.perSecond < 20 ? 1 : 0)}/s`
export const latency = (rate: Rate): string => `p50 ${ms(rate.p50Ms)}, p99 ${ms(rate.p99Ms)}`
export const ms = (value: number): string => `${value < 10 ? value.toFixed(2) : value.toFixed(0)} ms`

/** One line of a result: what, the ratio to the baseline, and the figures that it was made of. */
export function say(what: string, ratio: number, of: string, figures: string): void {
  console.log(`${what.padEnd(34)} ${formatRatio(ratio).padStart(7)} × ${of.padEnd(26)} ${figures}`)
}

function formatRatio(ratio: number): string {
  return ratio >= 100 ? ratio.toFixed(0) : ratio >= 10 ? ratio.toFixed(1) : ratio.toFixed(2)
}
