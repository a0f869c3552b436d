/** The eight health information types of ABDM (protocol: hiTypes; NHA text of ABDM-1006), in ABDM's spelling. */
export const HI_TYPES = [
  'Prescription',
  'DiagnosticReport',
  'OPConsultation',
  'DischargeSummary',
  'ImmunizationRecord',
  'HealthDocumentRecord',
  'WellnessRecord',
  'Invoice',
] as const

export type HiType = (typeof HI_TYPES)[number]

const BY_SPELLING: ReadonlyMap<string, HiType> = new Map(
  HI_TYPES.flatMap((type) => [
    [type, type],
    [type.toUpperCase(), type],
  ]),
)

/** Reads a HI type in today's spelling or in the upper-case spelling of the 2023 drafts; undefined when it is none. */
export function parseHiType(text: string): HiType | undefined {
  return BY_SPELLING.get(text)
}
