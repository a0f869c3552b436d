import { useQueryClient } from '@tanstack/react-query'
import { useRef, useState } from 'react'
import { useLocation } from 'wouter'
import type { RequestView } from '../../../src/native/me-request-view.ts'
import { BROKEN_LINE, call, Problem } from '../../ui/api.ts'
import { usePerson } from '../person.ts'
import { type Choice, itemsOf } from './choice.ts'
import { wasDecidedHere } from './decided-here.ts'
import { dropDecision, keepDecision, type Queued } from './queue.ts'

export type Decide = {
  readonly isBusy: boolean
  readonly error: unknown
  readonly forget: () => void
  readonly allow: (choice: Choice, notice: string, stepUp: string) => Promise<void>
  readonly deny: (reason: string) => Promise<void>
  /** Without a line: what was chosen stays on the device, and nothing is sent. */
  readonly keepChoice: (choice: Choice) => Promise<void>
}

/** Sends a decision, once whatever is tapped; without a line it is kept, and shown as waiting. */
export function useDecide(request: RequestView): Decide {
  const client = useQueryClient()
  const [, navigate] = useLocation()
  const person = usePerson() ?? ''
  const [error, setError] = useState<unknown>()
  const [isBusy, setBusy] = useState(false)
  // The state of the button comes a moment after the tap; this does not.
  const isRunning = useRef(false)

  const base = () => ({
    key: crypto.randomUUID(),
    person,
    request: request.id,
    asker: request.asker.name,
    at: new Date().toISOString(),
  })
  const keep = async (decision: Queued): Promise<void> => {
    await keepDecision(decision)
    navigate('/', { replace: true })
  }
  const send = async (decision: Exclude<Queued, { verb: 'choose' }>): Promise<void> => {
    if (!navigator.onLine) return keep({ ...decision, isPerhapsSent: false })
    try {
      await call(`/v1/me/requests/${request.id}/${decision.verb}`, { body: decision.body, key: decision.key })
    } catch (problem) {
      // Perhaps it arrived and only the answer is lost: the same key finds out.
      if (problem instanceof Problem && problem.code === BROKEN_LINE) return keep({ ...decision, isPerhapsSent: true })
      throw problem
    }
    wasDecidedHere(request.id)
    await dropDecision(request.id).catch(() => undefined)
    await client.invalidateQueries()
    navigate(`/requests/${request.id}`, { replace: true })
  }
  const once = async (work: () => Promise<void>): Promise<void> => {
    if (isRunning.current) return
    isRunning.current = true
    setBusy(true)
    setError(undefined)
    try {
      await work()
    } catch (problem) {
      setError(problem)
      // Decided elsewhere, over, or changed: the page shows how it stands now.
      await client.invalidateQueries()
    } finally {
      isRunning.current = false
      setBusy(false)
    }
  }
  return {
    isBusy,
    error,
    forget: () => setError(undefined),
    allow: (choice, notice, stepUp) =>
      once(() => {
        const body = { notice, stepUp, consents: itemsOf(request, choice) }
        return send({ ...base(), isPerhapsSent: false, verb: 'allow', body })
      }),
    deny: (reason) => once(() => send({ ...base(), isPerhapsSent: false, verb: 'deny', body: { reason } })),
    keepChoice: (choice) => once(() => keep({ ...base(), isPerhapsSent: false, verb: 'choose', choice })),
  }
}
