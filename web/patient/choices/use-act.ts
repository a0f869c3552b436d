import { useQueryClient } from '@tanstack/react-query'
import { useRef, useState } from 'react'

/** One act at a time, whatever is tapped; everything on the screen is asked for again when it is over. */
export function useAct(): {
  readonly busyWith: string | undefined
  readonly error: unknown
  readonly act: (name: string, work: () => Promise<void>) => Promise<void>
} {
  const client = useQueryClient()
  const [busyWith, setBusyWith] = useState<string>()
  const [error, setError] = useState<unknown>()
  const isRunning = useRef(false)
  const act = async (name: string, work: () => Promise<void>): Promise<void> => {
    if (isRunning.current) return
    isRunning.current = true
    setBusyWith(name)
    setError(undefined)
    try {
      await work()
    } catch (problem) {
      setError(problem)
    } finally {
      isRunning.current = false
      setBusyWith(undefined)
      await client.invalidateQueries()
    }
  }
  return { busyWith, error, act }
}
