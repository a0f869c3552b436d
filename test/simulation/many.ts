import { type Outcome, simulate } from './simulation.ts'
import { openStage, type Stage } from './stage.ts'

/** Two worlds side by side: while the database works for one, this process works for the other. Each is as alone as ever. */
export const LANES = 2

export type Total = {
  readonly seeds: number
  readonly steps: number
  readonly tookMs: number
  readonly failed: readonly Outcome[]
  readonly kinds: ReadonlyMap<string, number>
}

/** Runs seeds one after the other in each lane; stops taking new ones after the first that fails. */
export async function simulateMany(
  seeds: readonly number[],
  lanes: number,
  tell: (outcome: Outcome) => void = () => undefined,
): Promise<Total> {
  const stages = await Promise.all(Array.from({ length: lanes }, () => openStage()))
  const waiting = [...seeds]
  const kinds = new Map<string, number>()
  const failed: Outcome[] = []
  let [done, steps] = [0, 0]
  const startedMs = performance.now()
  const run = async (stage: Stage): Promise<void> => {
    for (let seed = waiting.shift(); seed !== undefined && failed.length === 0; seed = waiting.shift()) {
      const outcome = await simulate(stage, seed)
      done++
      steps += outcome.steps
      for (const [kind, count] of outcome.kinds) kinds.set(kind, (kinds.get(kind) ?? 0) + count)
      if (outcome.violation !== undefined) failed.push(outcome)
      tell(outcome)
    }
  }
  try {
    await Promise.all(stages.map(run))
    return { seeds: done, steps, tookMs: performance.now() - startedMs, failed, kinds }
  } finally {
    for (const stage of stages) await stage.world.close()
  }
}

/** How fast it was. */
export function sayTotal({ seeds, steps, tookMs }: Total): string {
  return `${seeds} seeds, ${steps} steps in ${(tookMs / 1_000).toFixed(1)} s: ${Math.round((steps / tookMs) * 1_000)} steps/s`
}

/** A failing run for a person: the seed, what is wrong, the last steps, and how to see all of them. */
export function sayFailure({ seed, steps, violation, trace }: Outcome, linesMax = 40): string {
  const fault = violation?.cause instanceof Error ? violation.cause : violation
  return [
    `seed ${seed} fails at step ${steps}: ${String(violation)}`,
    ...(violation?.name === 'Violation' ? [] : [fault?.stack ?? '']),
    ...trace.slice(-linesMax).map((line) => `  ${line}`),
    `replay: npm run simulate -- --seed ${seed} --trace`,
  ].join('\n')
}
