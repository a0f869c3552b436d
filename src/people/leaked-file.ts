import { createHash } from 'node:crypto'

/** Reads up to `length` bytes from `at`: fewer only at the end of the file. */
export type ReadAt = (at: number, length: number) => Buffer

/** `SHA1:COUNT`, upper or lower case, with either kind of line end. */
const LINE = /^([0-9A-Fa-f]{40})(?::\d{1,12})?\r?$/
const LINE_BYTES_MAX = 56
/** What is left of the file when its lines are simply read one by one. */
const REST_BYTES = 4_096

class NotAHashFile extends Error {
  override readonly name = 'NotAHashFile'
}

export function hashOf(password: string): string {
  return createHash('sha1').update(password).digest('hex').toUpperCase()
}

function parseLine(line: string): string {
  const hash = LINE.exec(line)?.[1]
  if (hash === undefined) throw new NotAHashFile('a line is not of the form SHA1:COUNT')
  return hash.toUpperCase()
}

const linesIn = (bytes: Buffer): string[] => bytes.toString('latin1').split('\n').filter(Boolean)

/** The hash of the last line; checks that first and last line have the form, and that they stand in order. */
export function lastHashOf(read: ReadAt, size: number): string {
  const [first] = linesIn(read(0, LINE_BYTES_MAX))
  const last = linesIn(read(Math.max(0, size - LINE_BYTES_MAX), LINE_BYTES_MAX)).at(-1)
  if (first === undefined || last === undefined) throw new NotAHashFile('there is nothing in it')
  const hash = parseLine(last)
  if (parseLine(first) > hash) throw new NotAHashFile('its lines are not sorted by hash')
  return hash
}

/** Whether `hash` stands in a file of lines sorted by hash: halves the file until it is near, then reads. Throws at what is no such line. */
export function isInHashFile(read: ReadAt, size: number, hash: string): boolean {
  // Both are beginnings of lines, or the end of the file.
  let from = 0
  let to = size
  while (to - from > REST_BYTES) {
    const middle = from + Math.floor((to - from) / 2)
    const piece = read(middle, 2 * LINE_BYTES_MAX)
    const start = piece.indexOf('\n') + 1
    const end = piece.indexOf('\n', start)
    if (start === 0 || end === -1) throw new NotAHashFile('a line is too long')
    const there = parseLine(piece.toString('latin1', start, end))
    if (there === hash) return true
    if (there < hash) from = middle + start
    else to = middle + start
  }
  return linesIn(read(from, to - from)).some((line) => parseLine(line) === hash)
}
