import { z } from 'zod'
import { askOwn, type OwnParty } from './client.ts'

/** What `amanat staff …` does: asks a running facility as its operator, prints, answers the exit code. */

const out = (text: string): void => void process.stdout.write(`${text}\n`)

const invitation = z.object({ link: z.string(), expiresAt: z.string(), staff: z.object({ login: z.string() }) })

/** Invites a person; prints the link that she opens to set up how she signs in. It is shown this once. */
export async function inviteStaffCommand(
  facility: OwnParty,
  who: {
    readonly login: string
    readonly name: string
    readonly role: string
    readonly registration?: string
    readonly json?: boolean
  },
): Promise<number> {
  const { json, ...body } = who
  const made = invitation.parse(await askOwn(facility, '/v1/staff', body))
  if (json) out(JSON.stringify(made))
  else {
    out(`login    ${made.staff.login}`)
    out(`link     ${made.link}`)
    out(`until    ${made.expiresAt}`)
    out('Give the link to this person and to nobody else: whoever opens it sets the password. It works once.')
  }
  return 0
}

const staff = z.object({
  staff: z.array(
    z.object({
      id: z.string(),
      isConfirmed: z.boolean(),
      login: z.string(),
      name: z.string(),
      role: z.string(),
      status: z.string(),
      registration: z.string().optional(),
    }),
  ),
  next: z.string().optional(),
})

/** All of the staff, or those of whom the name or login has these letters: page after page. */
async function readStaff(facility: OwnParty, search = ''): Promise<z.output<typeof staff>['staff']> {
  const all: z.output<typeof staff>['staff'] = []
  let next: string | undefined
  do {
    const words = new URLSearchParams({ search, limit: '100', ...(next === undefined ? {} : { after: next }) })
    const page = staff.parse(await askOwn(facility, `/v1/staff?${words.toString()}`))
    all.push(...page.staff)
    next = page.next
  } while (next !== undefined)
  return all
}

/** Confirms an account that an administrator gave, where nobody else of the facility may. */
export async function confirmStaffCommand(facility: OwnParty, { login }: { readonly login: string }): Promise<number> {
  const found = (await readStaff(facility, login)).find((one) => one.login === login)
  if (found === undefined) {
    process.stderr.write(`Nobody of the staff signs in as ${login}.\n`)
    return 1
  }
  await askOwn(facility, `/v1/staff/${found.id}/confirm`, {})
  out(`${found.name} (${found.role}) is confirmed.`)
  return 0
}

/** Lists the staff of a facility. */
export async function listStaffCommand(facility: OwnParty, options: { readonly json?: boolean }): Promise<number> {
  const found = await readStaff(facility)
  if (options.json) out(JSON.stringify(found))
  else if (found.length === 0) out('Nobody yet. Invite the first administrator: amanat staff invite --help')
  else
    for (const { login, name, role, status, registration, isConfirmed } of found)
      out(
        `${login.padEnd(24)} ${role.padEnd(16)} ${(status === 'active' && !isConfirmed ? 'waits' : status).padEnd(10)} ${name}${registration ? ` (${registration})` : ''}`,
      )
  return 0
}
