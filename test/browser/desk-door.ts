import { record } from '../../src/audit/record.ts'
import { transact } from '../../src/db/tx.ts'
import { type StaffCaller, staffActor } from '../../src/kernel/caller.ts'
import type { FacilityId } from '../../src/kernel/id.ts'
import { openSession } from '../../src/people/session-commands.ts'
import type { Visitor, WebWorld } from './web-world.ts'

/** Signs a person of the staff in without the door: for journeys that begin behind it. */
export async function letStaffIn(
  world: WebWorld,
  party: string,
  staff: StaffCaller,
  { context }: Visitor,
): Promise<void> {
  const { machine } = world.network.party(party).running
  const origin = world.originOf(party)
  const facility = party as FacilityId
  const { cookie } = await transact(machine, async (tx) => {
    const recorded = await record(tx, {
      type: 'staff.signed-in',
      actor: staffActor(facility, staff),
      subject: staff.id,
    })
    const input = { kind: 'staff', person: staff.id, how: 'password-totp', userAgent: undefined } as const
    return openSession(tx, { party, origins: [origin] }, recorded, input)
  })
  const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(cookie) ?? []
  await context.addCookies([{ name, value, url: origin, httpOnly: true, sameSite: 'Strict' }])
}
