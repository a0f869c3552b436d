import { z } from 'zod'
import { callParty } from './client.ts'

/** What `amanat account …` does: asks a running exchange as its operator, prints, answers the exit code. */

type Party = { readonly url: string; readonly name: string; readonly operatorToken: string }

const out = (text: string): void => void process.stdout.write(`${text}\n`)
const closed = z.object({ keptUntil: z.string(), law: z.string(), ended: z.boolean() })
const listed = z.array(closed.extend({ patient: z.string(), closedAt: z.string() }))
const pathOf = (patient: string, verb: string): string => `/v1/patients/${encodeURIComponent(patient)}/${verb}`

/** Closes a patient's account on her written wish. */
export async function closeAccountCommand(party: Party, patient: string, wish: string): Promise<number> {
  const { keptUntil, law } = closed.parse(await callParty(party, pathOf(patient, 'close'), { body: { wish } }))
  out(`closed: nothing is shared any more, ${patient} is signed out everywhere; consents are being ended one by one`)
  out(`kept until ${keptUntil} (${law}), then erased; until then "amanat account reopen" opens it again`)
  return 0
}

/** Opens a closed account again on the patient's written wish. */
export async function reopenAccountCommand(party: Party, patient: string, wish: string): Promise<number> {
  await callParty(party, pathOf(patient, 'reopen'), { body: { wish } })
  out(`open again: ${patient} signs in as before; what was stopped stays stopped`)
  return 0
}

/** Shows closed accounts, with the day on which each is erased. */
export async function listClosedCommand(party: Party): Promise<number> {
  const accounts = listed.parse(await callParty(party, '/v1/closed-accounts', {}))
  for (const { patient, closedAt, keptUntil, ended } of accounts)
    out(`${patient}  closed ${closedAt}  ${ended ? `erased ${keptUntil}` : 'consents are still being ended'}`)
  if (accounts.length === 0) out('No account is closed.')
  return 0
}
