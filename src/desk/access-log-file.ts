import type { LookLine, OpeningLine } from './access-log.ts'

/** One line of the file; every line has the same columns. */
export type FileLine = Readonly<Record<(typeof COLUMNS)[number], string>>

const COLUMNS = [
  'at',
  'person',
  'role',
  'type',
  'patient',
  'purpose',
  'ground',
  'standing',
  'records',
  'event',
] as const
export const FILE_FORMS = ['csv', 'ndjson'] as const
export type FileForm = (typeof FILE_FORMS)[number]

/** A look as a line of the file. */
export function lineOfLook(look: LookLine, patient: string): FileLine {
  const { id, at, type, person, purpose, ground, standing, records, changed } = look
  return {
    at,
    person: person?.name ?? '',
    role: person?.role ?? '',
    type: changed === true ? 'changed' : type,
    patient,
    purpose: purpose ?? '',
    ground: ground ?? '',
    standing: standing ?? '',
    records: records === undefined ? '' : String(records),
    event: id,
  }
}

/** The last opening of a patient's page by one person, as a line of the file. */
export function lineOfOpening({ at, person, patient }: OpeningLine): FileLine {
  const empty = { purpose: '', ground: '', standing: '', records: '', event: '' }
  return {
    at: at.toISOString(),
    person: person.name,
    role: person.role,
    type: 'desk.patient-opened',
    patient,
    ...empty,
  }
}

/** The file: RFC 4180, or one JSON object on each line. */
export function writeFile(form: FileForm, lines: readonly FileLine[]): string {
  if (form === 'ndjson') return lines.map((line) => `${JSON.stringify(line)}\n`).join('')
  const rows = [COLUMNS, ...lines.map((line) => COLUMNS.map((column) => line[column]))]
  return rows.map((row) => `${row.map(cell).join(',')}\r\n`).join('')
}

/** A spreadsheet takes a cell that begins like a formula for one: a name is text, whatever it begins with. */
function cell(text: string): string {
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}
