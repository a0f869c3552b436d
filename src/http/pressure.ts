import { LIMITS } from '../kernel/limits.ts'

/** `ordinary`: everything; `reserved`: what must be answered when all else waits: the log, witnesses, operators. */
export type Lane = 'ordinary' | 'reserved'

/** How much this process has to do at once, and whether it should take more. */
export type Pressure = {
  readonly isFull: (lane: Lane) => boolean
  /** Counts a call that is being worked on; the function returned, called once or more, ends it. */
  readonly enter: (lane: Lane) => () => void
  readonly inFlight: () => number
  readonly close: () => void
}

const ROOM: Readonly<Record<Lane, number>> = {
  ordinary: LIMITS.callsInFlightMax,
  reserved: LIMITS.reservedCallsInFlightMax,
}

/**
 * Full is: as many calls are worked on as the database can serve in good time, or the event loop came late two looks in a row. What is
 * turned away at once costs microseconds; what waits too long is asked for again, and costs twice.
 */
export function makePressure(nowMs: () => number): Pressure {
  const busy = { ordinary: 0, reserved: 0 }
  let lateMs: readonly number[] = [0, 0]
  let lookedMs = nowMs()
  const timer = setInterval(() => {
    const now = nowMs()
    lateMs = [now - lookedMs - LIMITS.eventLoopLookEveryMs, lateMs[0] ?? 0]
    lookedMs = now
  }, LIMITS.eventLoopLookEveryMs)
  timer.unref()
  return {
    isFull: (lane) =>
      busy[lane] >= ROOM[lane] || (lane === 'ordinary' && Math.min(...lateMs) > LIMITS.eventLoopLateMsMax),
    enter: (lane) => {
      busy[lane]++
      let ended = false
      return () => {
        if (!ended) busy[lane]--
        ended = true
      }
    },
    inFlight: () => busy.ordinary + busy.reserved,
    close: () => clearInterval(timer),
  }
}
