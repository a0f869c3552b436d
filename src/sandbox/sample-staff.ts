import type { Tx } from '../db/tx.ts'
import type { Actor } from '../kernel/caller.ts'
import { isRefusal, type Refusal, refuse } from '../kernel/refusal.ts'
import type { StaffRole } from '../kernel/staff-role.ts'
import { codeOfSecret } from '../people/authenticator.ts'
import { inviteStaff } from '../people/staff-commands.ts'
import { joinByPassword, shareInvitationSecret } from '../people/staff-invitation.ts'
import { codeForSandbox, type DeskNeeds } from '../people/staff-sign-in.ts'

/** An invented person of a sandbox, with what one types to sign in as her. */
export type SampleStaff = {
  readonly login: string
  readonly name: string
  readonly role: StaffRole
  readonly password: string
  /** Good once, and from `codeFrom` on. */
  readonly code: string
  readonly codeFrom: Date
}

const PASSWORD_BYTES = 9
const SANDBOX: Actor = { kind: 'operator', id: 'sandbox' }

/**
 * Takes an invented person into the staff, through the commands that real ones go through: invitation, password, authenticator app. Done
 * again, it changes nothing. Only a sandbox has the route to this.
 */
export async function addSampleStaff(
  tx: Tx,
  needs: Pick<DeskNeeds, 'facility' | 'leaked'>,
  who: { readonly login: string; readonly name: string; readonly role: StaffRole; readonly registration?: string },
): Promise<SampleStaff | Refusal> {
  const known = await findSample(tx, who.login)
  if (known !== undefined) return known
  const invited = await inviteStaff(tx, { ...who, actor: SANDBOX })
  if (isRefusal(invited)) return invited
  const shared = await shareInvitationSecret(tx, needs, invited.code)
  if (isRefusal(shared)) return shared
  const password = Buffer.from(tx.random(PASSWORD_BYTES)).toString('base64url')
  const code = codeOfSecret(shared.text, tx.now)
  const joined = await joinByPassword(tx, needs, { invitation: invited.code, password, code })
  if (isRefusal(joined)) return joined
  await tx.db.insertInto('sample_staff').values({ login: who.login, password }).execute()
  return (await findSample(tx, who.login)) ?? refuse('staff/unknown')
}

async function findSample(tx: Tx, login: string): Promise<SampleStaff | undefined> {
  const row = await tx.db.selectFrom('sample_staff').select('password').where('login', '=', login).executeTakeFirst()
  return row === undefined ? undefined : describe(tx, login, row.password)
}

/** Undefined once the person was suspended, set up anew, or left. */
async function describe(tx: Tx, login: string, password: string): Promise<SampleStaff | undefined> {
  const found = await codeForSandbox(tx, login)
  if (found?.status !== 'active') return undefined
  const { name, role, code, from } = found
  return { login, name, role, password, code, codeFrom: from }
}

/** Everybody whom one may sign in as, by login. */
export async function listSampleStaff(tx: Tx): Promise<readonly SampleStaff[]> {
  const rows = await tx.db.selectFrom('sample_staff').selectAll().orderBy('login').execute()
  const found: SampleStaff[] = []
  for (const { login, password } of rows) {
    const sample = await describe(tx, login, password)
    if (sample !== undefined) found.push(sample)
  }
  return found
}
