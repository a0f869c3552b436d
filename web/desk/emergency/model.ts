import { useEffect, useState } from 'react'
import type { DeskConsent } from '../../../src/desk/consents.ts'
import type { OnPaper, Told } from '../../../src/incidents/emergency.ts'
import { mayDo } from '../../../src/people/rules.ts'
import { useCall } from '../../ui/query.tsx'
import { useStaffSession } from '../session.ts'
import type { Wire } from '../wire.ts'

/** `told`: by which way the patient is told of it; `onPaper`: why no text message tells her. */
export type Access = {
  readonly id: string
  readonly until: string
  readonly told: Told
  readonly onPaper?: OnPaper
}
/** How far the request for records of others has come; null when nobody could be asked. */
export type Others = Wire<DeskConsent> | null
/** What `GET /v1/desk/patients/:reference/emergency` answers. */
type Answer = { readonly emergency: Access | null; readonly others?: Others }

export const emergencyPath = (reference: string): string =>
  `/v1/desk/patients/${encodeURIComponent(reference)}/emergency`

/** My access to this patient in an emergency: `mayOpen` when my role meets emergencies, `access` while it is open. */
export function useEmergency(reference: string | undefined): {
  readonly mayOpen: boolean
  readonly access: Access | undefined
  readonly others: Others
} {
  const { session } = useStaffSession()
  const mayOpen = session !== null && session !== undefined && mayDo(session.staff.role, 'emergency.open')
  const { data } = useCall<Answer>(mayOpen && reference !== undefined ? emergencyPath(reference) : undefined)
  return { mayOpen: mayOpen && data !== undefined, access: data?.emergency ?? undefined, others: data?.others ?? null }
}

const TICK_MS = 1_000

/** Milliseconds until then, each second; undefined while there is nothing to wait for. */
export function useMsLeft(until: string | undefined): number | undefined {
  const [now, setNow] = useState(() => Date.now())
  useEffect(() => {
    if (until === undefined) return
    const timer = setInterval(() => setNow(Date.now()), TICK_MS)
    return () => clearInterval(timer)
  }, [until])
  return until === undefined ? undefined : new Date(until).getTime() - now
}
