import { createHash } from 'node:crypto'
import { announce, record } from '../audit/record.ts'
import type { Tx } from '../db/tx.ts'
import type { Actor } from '../kernel/caller.ts'
import type { Id } from '../kernel/id.ts'
import { LIMITS } from '../kernel/limits.ts'
import { type Refusal, refuse } from '../kernel/refusal.ts'
import { endSession } from './session-commands.ts'
import type { SsoLogout } from './sso.ts'
import { findSsoSessions, useLogoutToken } from './sso-store.ts'
import type { StaffEvent } from './staff.ts'
import { deleteSignInsOfSso } from './staff-sign-in-store.ts'

const PROVIDER: Actor = { kind: 'system', id: 'single sign-on' }

/**
 * Ends the sessions that began with the sign-ins which a proved logout token names, and sign-ins under way (OIDC Back-Channel Logout
 * §2.7). Sessions that began another way stay. None to end is no fault. A token is good once.
 */
export async function endSsoSessions(tx: Tx, logout: SsoLogout): Promise<Refusal | undefined> {
  const { issuer, jti, issuedAt } = logout
  const digest = createHash('sha256').update(`${issuer}\n${jti}`).digest()
  const goneAt = new Date(issuedAt.getTime() + LIMITS.ssoLogoutAgeMs + LIMITS.ssoClockToleranceMs)
  if (!(await useLogoutToken(tx, digest, goneAt))) return refuse('staff/logout-refused', 'It was used already.')
  await deleteSignInsOfSso(tx, logout)
  const sessionsOf = new Map<Id<'staff'>, Id<'web-session'>[]>()
  for (const { session, staff } of await findSsoSessions(tx, logout))
    sessionsOf.set(staff, [...(sessionsOf.get(staff) ?? []), session])
  for (const [staff, sessions] of sessionsOf) {
    const event = { type: 'staff.sso-signed-out', actor: PROVIDER, subject: staff } satisfies StaffEvent
    const recorded = await record(tx, event)
    for (const session of sessions) await endSession(tx, recorded, session)
    await announce(tx, recorded)
  }
  return undefined
}
