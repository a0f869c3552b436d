import type { Logger } from 'pino'

/** A chore that is done again and again: expiry, sweeping, sequencing. Must be safe to run twice and to skip. */
export type Chore = { readonly name: string; readonly everyMs: number; readonly run: () => Promise<void> }

export type Schedule = { readonly stop: () => Promise<void> }

/** Runs each chore now and then every `everyMs` after it ended; one that throws is logged and goes on at its next turn. */
export function startSchedule(chores: readonly Chore[], log: Logger): Schedule {
  let stopping = false
  const wakes = new Set<() => void>()
  const loop = async (chore: Chore): Promise<void> => {
    while (!stopping) {
      try {
        await chore.run()
      } catch (error) {
        log.error({ err: error, chore: chore.name }, 'chore failed; it goes on at its next turn')
      }
      if (!stopping) await pause(chore.everyMs, wakes)
    }
  }
  const loops = chores.map(loop)
  return {
    stop: async () => {
      stopping = true
      for (const wake of wakes) wake()
      await Promise.all(loops)
    },
  }
}

function pause(ms: number, wakes: Set<() => void>): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer)
      wakes.delete(end)
      resolve()
    }
    const timer = setTimeout(end, ms)
    wakes.add(end)
  })
}
