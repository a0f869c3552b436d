/** A place in PostgreSQL's write-ahead log (WAL): a number of bytes, written `16/B374D848`. */
export type Lsn = bigint

/** Parses PostgreSQL's form. Throws for anything else: it comes from the server, or from a signed manifest. */
export function parseLsn(text: string): Lsn {
  const match = /^([0-9A-F]{1,8})\/([0-9A-F]{1,8})$/i.exec(text)
  if (match === null) throw new TypeError(`${text} is no place in the WAL`)
  return (BigInt(`0x${match[1]}`) << 32n) | BigInt(`0x${match[2]}`)
}

export function formatLsn(lsn: Lsn): string {
  const [high, low] = [lsn >> 32n, lsn & 0xffffffffn]
  return `${high.toString(16)}/${low.toString(16)}`.toUpperCase()
}

/** The beginning of the segment that has `lsn`. */
export function segmentStart(lsn: Lsn, segmentBytes: number): Lsn {
  return lsn - (lsn % BigInt(segmentBytes))
}

/** Name of the segment file that has `lsn`: timeline, then the number of the segment in two halves (PostgreSQL, `XLogFileName`). */
export function segmentName(timeline: number, lsn: Lsn, segmentBytes: number): string {
  const number = lsn / BigInt(segmentBytes)
  const perHalf = 0x100000000n / BigInt(segmentBytes)
  const hex = (value: bigint | number): string => value.toString(16).toUpperCase().padStart(8, '0')
  return `${hex(timeline)}${hex(number / perHalf)}${hex(number % perHalf)}`
}
