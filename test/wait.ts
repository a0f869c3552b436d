const LOOK_MS_MIN = 10
const LOOK_MS_MAX = 100

/** Waits until `condition` gives something; fails with `what` when the deadline passes. */
export async function waitFor<T>(
  what: string,
  condition: () => T | undefined | false | Promise<T | undefined | false>,
  deadlineMs = 8_000,
): Promise<T> {
  const startedMs = performance.now()
  for (;;) {
    const value = await condition()
    if (value !== undefined && value !== false) return value
    const waitedMs = performance.now() - startedMs
    if (waitedMs > deadlineMs) throw new Error(`waited ${deadlineMs} ms in vain for ${what}`)
    // What takes long is looked for less often: looking takes the time of those who work at it.
    const pauseMs = Math.min(LOOK_MS_MAX, Math.max(LOOK_MS_MIN, waitedMs / 10))
    await new Promise((resolve) => setTimeout(resolve, pauseMs))
  }
}
