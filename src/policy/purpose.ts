/** ABDM's six purposes of use (protocol sheet 3.2), with the text that goes on the wire. */
export const PURPOSES = {
  CAREMGT: 'Care Management',
  BTG: 'Break the Glass',
  PUBHLTH: 'Public Health',
  HPAYMT: 'Healthcare Payment',
  DSRCH: 'Disease Specific Healthcare Research',
  PATRQT: 'Self Requested',
} as const

export type PurposeCode = keyof typeof PURPOSES

/** Reads a purpose code, any case; undefined when it is none of the six. */
export function parsePurpose(text: string): PurposeCode | undefined {
  const code = text.trim().toUpperCase()
  return code in PURPOSES ? (code as PurposeCode) : undefined
}
