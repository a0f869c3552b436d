import type { Id } from '../kernel/id.ts'
import { type Refusal, refuse } from '../kernel/refusal.ts'
import type { StaffMember } from './staff.ts'

/** What part of the staff somebody wants to see: names or logins with these letters, behind one person, and how many. */
export type StaffSearch = {
  readonly search: string
  readonly after?: Id<'staff'> | undefined
  readonly limit: number
}

/** A page of the staff in the order given; `next` is the last one's id, when there are more behind it. */
export function pageOfStaff<Row extends Pick<StaffMember, 'id' | 'name' | 'login'>>(
  all: readonly Row[],
  { search, after, limit }: StaffSearch,
): { readonly staff: readonly Row[]; readonly next?: Id<'staff'> } | Refusal {
  const last = after === undefined ? -1 : all.findIndex(({ id }) => id === after)
  if (after !== undefined && last < 0)
    return refuse('request/invalid-field', 'after must be the `next` of an answer', 'after')
  const letters = search.toLowerCase()
  const found = all.slice(last + 1).filter(({ name, login }) => `${name} ${login}`.toLowerCase().includes(letters))
  const staff = found.slice(0, limit)
  const end = staff.at(-1)
  return { staff, ...(end === undefined || found.length === staff.length ? {} : { next: end.id }) }
}
