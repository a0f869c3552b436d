import { useEffect, useState } from 'react'

/** The time of the device in milliseconds, anew every second while it is shown. */
export function useNow(): number {
  const [now, setNow] = useState(() => Date.now())
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1000)
    return () => clearInterval(timer)
  }, [])
  return now
}

/** Whole seconds until `at`; 0 when it is over. */
export function useSecondsUntil(at: number): number {
  return Math.max(0, Math.ceil((at - useNow()) / 1000))
}
