import { transact } from '../../src/db/tx.ts'
import { webOriginsOf } from '../../src/http/web-origin.ts'
import type { StaffCaller } from '../../src/kernel/caller.ts'
import { tieAll } from '../../src/keys/tie-existing.ts'
import { openSession } from '../../src/people/session-commands.ts'
import { insertStepUp } from '../../src/people/step-up-store.ts'
import type { SimParty } from './party.ts'

/** A doctor who opens records in emergencies, and who reviews that she did. */
export type Team = { readonly doctor: StaffCaller; readonly dpo: StaffCaller }

/**
 * Headers of somebody of the staff who has just signed in, and proved anew that it is she for what is
 * `wanted`. Signing in itself is not what is
 * simulated. Undefined when the party ended or its database broke meanwhile.
 */
export async function signIn(
  party: SimParty,
  { id }: StaffCaller,
  wanted?: { readonly id: string; readonly subject: string },
): Promise<Readonly<Record<string, string>> | undefined> {
  if (!party.isUp) return undefined
  const web = { party: party.id, origins: webOriginsOf(party.config.publicUrl) }
  try {
    return await transact(party.built.machine, async (tx) => {
      const how = { kind: 'staff', person: id, how: 'password-totp', userAgent: undefined } as const
      const session = await openSession(tx, web, {} as never, how)
      const headers = {
        cookie: session.cookie.split(';')[0] ?? '',
        origin: web.origins[0] ?? '',
        'x-csrf': session.csrf,
        'content-type': 'application/json',
      }
      if (wanted === undefined) return headers
      await tx.db.deleteFrom('step_up').where('id', '=', wanted.id).execute()
      const expiresAt = new Date(tx.now.getTime() + 60_000)
      await insertStepUp(tx, { ...wanted, session: session.id, act: 'emergency.open', expiresAt } as never)
      await tx.db.updateTable('step_up').set({ status: 'proved', tie: '' }).where('id', '=', wanted.id).execute()
      await tieAll(tx.db)
      return headers
    })
  } catch {
    return undefined
  }
}
