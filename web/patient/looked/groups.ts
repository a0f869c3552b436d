import type { ChangedLook, LookView } from '../../../src/rights/views.ts'

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
