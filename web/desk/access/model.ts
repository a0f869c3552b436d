import type { LOOK_TYPES, LookLine, OpeningLine } from '../../../src/desk/access-log.ts'
import type { Wire } from '../wire.ts'

/** What `GET /v1/desk/access-log` and `…/openings` answer. */
export type Look = Wire<LookLine>
export type Opening = Wire<OpeningLine>
export type LookType = (typeof LOOK_TYPES)[number]

export const ACCESS_PATH = '/v1/desk/access-log'

/** What the page shows: it stands in its address, so that a list can be kept and gone back to. Days are of this device. */
export type Wanted = {
  readonly patient: string
  /** Id of somebody of the staff; empty = everybody. */
  readonly person: string
  /** YYYY-MM-DD; the last day is shown too. */
  readonly from: string
  readonly until: string
}

const NAMES = ['patient', 'person', 'from', 'until'] as const

export function wantedOf(search: string): Wanted {
  const given = new URLSearchParams(search)
  const [patient = '', person = '', from = '', until = ''] = NAMES.map((name) => given.get(name) ?? '')
  return { patient, person, from, until }
}

export function addressOf(wanted: Wanted): string {
  const words = new URLSearchParams()
  for (const name of NAMES) if (wanted[name] !== '') words.append(name, wanted[name])
  return words.size === 0 ? '/access' : `/access?${words.toString()}`
}

/** The same as the server takes it: moments in place of days. */
export function searchOf({ patient, person, from, until }: Wanted): Readonly<Record<string, string>> {
  return {
    ...(patient === '' ? {} : { patient }),
    ...(person === '' ? {} : { person }),
    ...(from === '' ? {} : { from: startOf(from, 0) }),
    ...(until === '' ? {} : { until: startOf(until, 1) }),
  }
}

function startOf(day: string, later: number): string {
  const at = new Date(`${day}T00:00:00`)
  at.setDate(at.getDate() + later)
  return at.toISOString()
}
