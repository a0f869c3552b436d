import type { IconName } from '../../ui/icon.tsx'

const KINDS: readonly (readonly [RegExp, IconName])[] = [
  [/insur|payer|tpa/i, 'insurance'],
  [/lab|diagnos|imag|radio/i, 'lab'],
  [/pharm|chem/i, 'pill'],
]

/** An icon for the words that the facility registry has for a place. */
export function facilityIcon(kinds: readonly string[]): IconName {
  return KINDS.find(([words]) => kinds.some((kind) => words.test(kind)))?.[1] ?? 'hospital'
}
