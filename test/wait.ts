/** What comes, comes sooner by far; a machine that does ten other things needs the rest. */
const DEADLINE_MS = 60_000
const LOOK_MS_MIN = 10
const LOOK_MS_MAX = 100

/** Waits until `condition` gives something; fails with `what` when the deadline passes. */
export async function waitFor<T>(
  what: string,
  condition: () => T | undefined | false | Promise<T | undefined | false>,
  deadlineMs = DEADLINE_MS,
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

/**
 * Does what has to be done before a moment that is near, and waits for the moment. A busy machine may be too slow: then all is done again
 * before a later one.
 */
export async function reachMoment<T>(before: (moment: Date) => Promise<T>): Promise<T> {
  for (let lifeMs = 1_500; ; lifeMs *= 4) {
    const moment = new Date(Date.now() + lifeMs)
    const isOver = (): boolean => Date.now() > moment.getTime()
    const passed = waitFor('the moment', isOver, lifeMs + DEADLINE_MS)
    const attempt = before(moment).then(
      (value) => ({ value }),
      (error: unknown) => {
        if (!isOver()) throw error
      },
    )
    // Whatever an attempt that is too late still waits for may never come.
    const done = await Promise.race([attempt, passed.then(() => undefined)])
    if (done !== undefined && !isOver()) {
      await passed
      return done.value
    }
    if (lifeMs > 20_000) throw new Error(`not done within ${lifeMs} ms`)
  }
}
