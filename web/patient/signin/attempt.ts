import { useRef, useState } from 'react'
import { isGivenUp } from '../../ui/passkey.ts'

/** One thing at a time that may be refused: a second press while it works does nothing. */
export function useAttempt(): {
  readonly isBusy: boolean
  /** Why the last attempt failed; undefined while one works, and when the person herself gave up. */
  readonly problem: unknown
  readonly setProblem: (problem: unknown) => void
  readonly attempt: (work: () => Promise<void>) => Promise<void>
} {
  const [isBusy, setIsBusy] = useState(false)
  const [problem, setProblem] = useState<unknown>()
  // A double tap comes before the page shows that it works.
  const isRunning = useRef(false)
  const attempt = async (work: () => Promise<void>): Promise<void> => {
    if (isRunning.current) return
    isRunning.current = true
    setIsBusy(true)
    setProblem(undefined)
    try {
      await work()
    } catch (error) {
      if (!isGivenUp(error)) setProblem(error)
    }
    isRunning.current = false
    setIsBusy(false)
  }
  return { isBusy, problem, setProblem, attempt }
}
