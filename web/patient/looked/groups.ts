import type { ChangedLook, LookView, OpeningView } from '../../../src/rights/views.ts'

/** Looks that are one act: of one person, in one place, for one reason, on one ground, within minutes. Newest first. */
export type LookGroup = readonly [LookView, ...LookView[]]

const WITHIN_MS = 10 * 60_000

/** Puts neighbours that belong together into one group: who opens thirty documents has looked once, with thirty entries in the log. */
export function groupsOf(looks: readonly (LookView | ChangedLook)[]): readonly (LookGroup | ChangedLook)[] {
  const groups: ([LookView, ...LookView[]] | ChangedLook)[] = []
  for (const look of looks) {
    const last = groups.at(-1)
    if ('changed' in look) groups.push(look)
    else if (last !== undefined && !('changed' in last) && isSameAct(last[0], look)) last.push(look)
    else groups.push([look])
  }
  return groups
}

/** Openings of the patient's page at one place on one day; `dayOf` says the day as it is shown. */
export type OpeningGroup = { readonly day: string; readonly openings: readonly [OpeningView, ...OpeningView[]] }

/** Puts openings of one place and day into one group, in the order of their newest: a day on a ward is one row. */
export function openingGroups(
  openings: readonly (OpeningView | ChangedLook)[],
  dayOf: (at: string) => string,
): readonly (OpeningGroup | ChangedLook)[] {
  const groups = new Map<
    string,
    { readonly day: string; readonly openings: [OpeningView, ...OpeningView[]] } | ChangedLook
  >()
  for (const one of openings) {
    if ('changed' in one) {
      groups.set(one.id, one)
      continue
    }
    const day = dayOf(one.event.at)
    const key = `${day} ${one.facility.id}`
    const group = groups.get(key)
    if (group === undefined || 'changed' in group) groups.set(key, { day, openings: [one] })
    else group.openings.push(one)
  }
  return [...groups.values()]
}

function isSameAct(first: LookView, look: LookView): boolean {
  const isNear = Math.abs(Date.parse(first.event.at) - Date.parse(look.event.at)) <= WITHIN_MS
  return isNear && actOf(first) === actOf(look)
}

function actOf({ event, facility, basis, unusual, consent, question }: LookView): string {
  const { person } = event.actor
  return JSON.stringify([
    person,
    facility.id,
    event.purpose,
    basis,
    unusual,
    event.asFile,
    consent?.request,
    consent?.status,
    question,
  ])
}
