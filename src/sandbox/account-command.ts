import { z } from 'zod'
import { askOwn, type OwnParty } from './client.ts'

/** What `amanat account …` does: asks a running exchange as its operator, prints, answers the exit code. */

const out = (text: string): void => void process.stdout.write(`${text}\n`)
const closed = z.object({ keptUntil: z.string(), law: z.string(), ended: z.boolean() })
const listed = z.object({
  accounts: z.array(closed.extend({ patient: z.string(), closedAt: z.string() })),
  next: z.string().optional(),
})
const pathOf = (patient: string, verb: string): string => `/v1/patients/${encodeURIComponent(patient)}/${verb}`

/** Closes a patient's account on her written wish. */
export async function closeAccountCommand(party: OwnParty, patient: string, wish: string): Promise<number> {
  const { keptUntil, law } = closed.parse(await askOwn(party, pathOf(patient, 'close'), { wish }))
  out(`closed: nothing is shared any more, ${patient} is signed out everywhere; consents are being ended one by one`)
  out(`kept until ${keptUntil} (${law}), then erased; until then "amanat account reopen" opens it again`)
  return 0
}

/** Opens a closed account again on the patient's written wish. */
export async function reopenAccountCommand(party: OwnParty, patient: string, wish: string): Promise<number> {
  await askOwn(party, pathOf(patient, 'reopen'), { wish })
  out(`open again: ${patient} signs in as before; what was stopped stays stopped`)
  return 0
}

/** Shows closed accounts, with the day on which each is erased. */
export async function listClosedCommand(party: OwnParty): Promise<number> {
  let after: string | undefined
  let count = 0
  do {
    const words = after === undefined ? '' : `?${new URLSearchParams({ after }).toString()}`
    const { accounts, next } = listed.parse(await askOwn(party, `/v1/closed-accounts${words}`))
    for (const { patient, closedAt, keptUntil, ended } of accounts)
      out(`${patient}  closed ${closedAt}  ${ended ? `erased ${keptUntil}` : 'consents are still being ended'}`)
    count += accounts.length
    after = next
  } while (after !== undefined)
  if (count === 0) out('No account is closed.')
  return 0
}
