import { useEffect, useState } from 'react'

/** Whole seconds until `at`; 0 when it is over. Counts while it is shown. */
export function useSecondsUntil(at: number | undefined): number {
  const left = (): number => (at === undefined ? 0 : Math.max(0, Math.ceil((at - Date.now()) / 1000)))
  const [seconds, setSeconds] = useState(left)
  useEffect(() => {
    setSeconds(left())
    const timer = setInterval(() => setSeconds(left()), 1000)
    return () => clearInterval(timer)
    // `left` is made anew with each `at`.
  }, [at])
  return seconds
}
