/** A step that did not come out exactly as it should: the story ends there, with a non-zero exit code. */
export class StoryFault extends Error {
  override readonly name = 'StoryFault'
}

/** Says no unless `holds`. */
export function insist(holds: boolean, otherwise: string): asserts holds {
  if (!holds) throw new StoryFault(otherwise)
}

/** Takes one line: what happened, or what to open to see it. */
export type Say = (line: string) => void

export type Narrator = {
  /** Performs one step: prints its number and title, what happened, how long it took, and what to open to see it. */
  readonly step: <T>(title: string, perform: (say: Say, see: Say) => Promise<T>) => Promise<T>
  readonly totalMs: () => number
  readonly steps: () => number
}

/** Prints the story to the terminal. */
export function makeNarrator(print: (line: string) => void): Narrator {
  const startedMs = performance.now()
  let count = 0
  return {
    steps: () => count,
    totalMs: () => performance.now() - startedMs,
    step: async (title, perform) => {
      count++
      const fromMs = performance.now()
      const lines: string[] = []
      const number = String(count).padStart(2)
      const end = (how: string): void => {
        print(`${number}  ${title}  ${how}`)
        for (const line of lines) print(`    ${line}`)
      }
      try {
        const result = await perform(
          (line) => lines.push(line),
          (address) => lines.push(`see  ${address}`),
        )
        end(`(${sayMs(performance.now() - fromMs)})`)
        return result
      } catch (error) {
        end(`FAILED after ${sayMs(performance.now() - fromMs)}`)
        throw error
      }
    },
  }
}

export function sayMs(ms: number): string {
  return ms < 1_000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`
}

const ASK_EVERY_MS = 50
const WAIT_MS_MAX = 30_000

/** Asks until `ready` gives something; says what was waited for when it never comes. */
export async function waitFor<T>(
  what: string,
  ready: () => Promise<T | undefined>,
  waitMsMax: number = WAIT_MS_MAX,
): Promise<T> {
  const untilMs = performance.now() + waitMsMax
  for (;;) {
    const result = await ready()
    if (result !== undefined) return result
    if (performance.now() > untilMs) throw new StoryFault(`waited ${sayMs(waitMsMax)} in vain for ${what}`)
    await new Promise((resolve) => setTimeout(resolve, ASK_EVERY_MS))
  }
}
