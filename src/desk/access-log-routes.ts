import { z } from 'zod'
import { announce, record } from '../audit/record.ts'
import type { Tx } from '../db/tx.ts'
import { type Route, route } from '../http/route.ts'
import { type StaffCaller, staffActor, staffOf } from '../kernel/caller.ts'
import { LIMITS } from '../kernel/limits.ts'
import { isRefusal, type Refusal, refuse } from '../kernel/refusal.ts'
import type { RecordsNeeds } from '../records/commands.ts'
import { existingPatientKey } from '../vault/data-keys.ts'
import { findLooks, findOpenings, type LookSearch, namesOf } from './access-log.ts'
import { FILE_FORMS, type FileLine, lineOfLook, lineOfOpening, writeFile } from './access-log-file.ts'

const moment = z.iso.datetime({ offset: true })
const patient = z.string().trim().min(1).max(LIMITS.textCharsMax)
const narrowing = { person: z.uuid().optional(), from: moment.optional(), until: moment.optional() }
const lookQuery = z.object({ patient, ...narrowing, before: z.uuid().optional() })
const openingQuery = z.object({ ...narrowing, before: moment.optional() })
/** `POST /v1/desk/access-log/file`. Without a patient: who last opened whose page. */
const fileOrder = z
  .object({
    patient: patient.optional(),
    ...narrowing,
    form: z.enum(FILE_FORMS),
    stepUp: z.string().max(60).default(''),
  })
  .strict()
  .meta({ id: 'AccessLogFile' })

const CONTENT_TYPES = { csv: 'text/csv; charset=utf-8', ndjson: 'application/x-ndjson' } as const
const seeing = { dialect: 'native', auth: 'staff', act: 'access-log.see', once: false } as const

/** For the data protection officer: who looked at what. Asking stands in the log, too, and in that of the patient who is named. */
export function accessLogRoutes(needs: RecordsNeeds): readonly Route[] {
  return [
    route({
      ...seeing,
      method: 'GET',
      path: '/v1/desk/access-log',
      summary: 'Who looked at the records of a patient, newest first',
      query: lookQuery,
      answers: { 200: { description: 'Looks; with `next`, ask again with it as `before`' } },
      handle: async ({ tx, caller, query }) => {
        const found = await findLooks(tx, needs, query)
        await recordAsked(tx, needs, staffOf(caller), 'access-log', query)
        return { status: 200, body: found }
      },
    }),
    route({
      ...seeing,
      method: 'GET',
      path: '/v1/desk/access-log/openings',
      summary: 'Who of the staff last opened the page of which patient, newest first',
      query: openingQuery,
      answers: { 200: { description: 'Openings; with `next`, ask again with it as `before`' } },
      handle: async ({ tx, caller, query }) => {
        const found = await findOpenings(tx, query)
        await recordAsked(tx, needs, staffOf(caller), 'openings', query)
        return { status: 200, body: found }
      },
    }),
    fileRoute(needs),
  ]
}

function fileRoute(needs: RecordsNeeds): Route {
  return route({
    ...seeing,
    method: 'POST',
    path: '/v1/desk/access-log/file',
    summary: 'The same lists as a file (CSV, NDJSON); takes a step-up for export.read on access-log',
    body: fileOrder,
    stepUp: { act: 'export.read', subject: () => 'access-log' },
    answers: {
      200: { description: 'The file' },
      403: { description: 'No step-up' },
      400: { description: 'More lines than one file takes: choose a shorter time' },
    },
    handle: async ({ tx, caller, body }) => {
      const { form, stepUp: _proof, ...search } = body
      const lines = await linesOf(tx, needs, search)
      if (isRefusal(lines)) return lines
      await recordAsked(tx, needs, staffOf(caller), 'access-log/file', { ...search, form })
      const name = `access-log-${tx.now.toISOString().slice(0, 10)}.${form}`
      const headers = { 'content-type': CONTENT_TYPES[form], 'content-disposition': `attachment; filename="${name}"` }
      return { status: 200, body: writeFile(form, lines), headers }
    },
  })
}

type Search = Omit<LookSearch, 'patient'> & { readonly patient?: string | undefined }

async function linesOf(tx: Tx, needs: RecordsNeeds, search: Search): Promise<readonly FileLine[] | Refusal> {
  const lines: FileLine[] = []
  let before: string | undefined
  do {
    const page = await pageOf(tx, needs, { ...search, before })
    lines.push(...page.lines)
    before = page.next
    if (lines.length > LIMITS.accessLogFileMax)
      return refuse(
        'request/invalid-field',
        `One file takes ${LIMITS.accessLogFileMax} lines. Choose a shorter time.`,
        'from',
      )
  } while (before !== undefined)
  return lines
}

async function pageOf(
  tx: Tx,
  needs: RecordsNeeds,
  { patient: whose, ...search }: Search,
): Promise<{ readonly lines: readonly FileLine[]; readonly next?: string | undefined }> {
  if (whose === undefined) {
    const { openings, next } = await findOpenings(tx, search)
    return { lines: openings.map(lineOfOpening), next }
  }
  const { looks, next } = await findLooks(tx, needs, { ...search, patient: whose })
  return { lines: looks.map((look) => lineOfLook(look, whose)), next }
}

async function recordAsked(
  tx: Tx,
  needs: RecordsNeeds,
  staff: StaffCaller,
  list: string,
  { patient: whose, ...rest }: Search & { readonly form?: string },
): Promise<void> {
  const words = new URLSearchParams()
  for (const [name, value] of Object.entries(rest)) if (value !== undefined) words.append(name, value)
  const name = whose === undefined ? undefined : await nameWithKey(tx, needs, whose)
  const about = name === undefined ? {} : { patient: name }
  const actor = staffActor(needs.facility.id, staff)
  await announce(tx, await record(tx, { type: 'log.read', actor, ...about, query: `${list}?${words.toString()}` }))
}

/** Under which name events about this patient stand. What nobody has here is nobody's: no key is made for it. */
async function nameWithKey(tx: Tx, needs: RecordsNeeds, given: string): Promise<string | undefined> {
  for (const name of await namesOf(tx, needs, given))
    if ((await existingPatientKey(tx, name)) !== undefined) return name
  return undefined
}
