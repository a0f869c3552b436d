import { z } from 'zod'
import { callParty } from './client.ts'
import { NetworkFault } from './network-file.ts'

/** What `amanat staff …` does: asks a running facility as its operator, prints, answers the exit code. */

type Facility = { readonly url: string; readonly name: string; readonly operatorToken: string }

const out = (text: string): void => void process.stdout.write(`${text}\n`)

async function ask(facility: Facility, path: string, body?: unknown): Promise<unknown> {
  try {
    return await callParty(facility, path, body === undefined ? {} : { body })
  } catch (error) {
    if (!(error instanceof NetworkFault)) throw error
    throw new NetworkFault(
      `${facility.name} does not answer at ${facility.url}. Start it first, with "amanat serve --config FILE".`,
    )
  }
}

const invitation = z.object({ link: z.string(), expiresAt: z.string(), staff: z.object({ login: z.string() }) })

/** Invites a person; prints the link that she opens to set up how she signs in. It is shown this once. */
export async function inviteStaffCommand(
  facility: Facility,
  who: {
    readonly login: string
    readonly name: string
    readonly role: string
    readonly registration?: string
    readonly json?: boolean
  },
): Promise<number> {
  const { json, ...body } = who
  const made = invitation.parse(await ask(facility, '/v1/staff', body))
  if (json) out(JSON.stringify(made))
  else {
    out(`login    ${made.staff.login}`)
    out(`link     ${made.link}`)
    out(`until    ${made.expiresAt}`)
    out('Give the link to this person and to nobody else: whoever opens it sets the password. It works once.')
  }
  return 0
}

const staff = z.array(
  z.object({
    login: z.string(),
    name: z.string(),
    role: z.string(),
    status: z.string(),
    registration: z.string().optional(),
  }),
)

/** Lists the staff of a facility. */
export async function listStaffCommand(facility: Facility, options: { readonly json?: boolean }): Promise<number> {
  const found = staff.parse(await ask(facility, '/v1/staff'))
  if (options.json) out(JSON.stringify(found))
  else if (found.length === 0) out('Nobody yet. Invite the first administrator: amanat staff invite --help')
  else
    for (const { login, name, role, status, registration } of found)
      out(
        `${login.padEnd(24)} ${role.padEnd(16)} ${status.padEnd(10)} ${name}${registration ? ` (${registration})` : ''}`,
      )
  return 0
}
