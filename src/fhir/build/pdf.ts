/** Helvetica in WinAnsi: what the fourteen standard fonts of PDF can write without an embedded font. */
const REPLACED = /[^\x20-\x7e\xa0-\xff]/g

/**
 * Makes a one-page A4 PDF (PDF 1.4, ISO 32000-1) of Latin text, in base64: the first line as heading, at most 46 lines
 * of 95 characters. Characters outside Latin-1 become `?`.
 */
export function makePdf(heading: string, lines: readonly string[]): string {
  const shown = lines.flatMap(wrap).slice(0, 46)
  const content = [
    'BT',
    `/F1 16 Tf 56 780 Td (${literal(heading)}) Tj`,
    '/F1 10 Tf 0 -28 Td 14 TL',
    ...shown.map((line) => `(${literal(line)}) Tj T*`),
    'ET',
  ].join('\n')
  const objects = [
    '<< /Type /Catalog /Pages 2 0 R >>',
    '<< /Type /Pages /Kids [3 0 R] /Count 1 >>',
    '<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F1 5 0 R >> >> /Contents 4 0 R >>',
    `<< /Length ${content.length} >>\nstream\n${content}\nendstream`,
    '<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>',
  ]
  return btoa(assemble(objects))
}

/** Header, objects, cross-reference table with the byte offset of each object, trailer. */
function assemble(objects: readonly string[]): string {
  let file = '%PDF-1.4\n'
  const offsets = objects.map((body, at) => {
    const offset = file.length
    file += `${at + 1} 0 obj\n${body}\nendobj\n`
    return `${String(offset).padStart(10, '0')} 00000 n \n`
  })
  const table = `xref\n0 ${objects.length + 1}\n0000000000 65535 f \n${offsets.join('')}`
  return `${file}${table}trailer\n<< /Size ${objects.length + 1} /Root 1 0 R >>\nstartxref\n${file.length}\n%%EOF\n`
}

function literal(text: string): string {
  return text.replace(REPLACED, '?').replace(/[\\()]/g, '\\$&')
}

function wrap(line: string): string[] {
  const rows = ['']
  for (const word of line.split(' ')) {
    const last = rows[rows.length - 1] ?? ''
    if (last.length > 0 && last.length + word.length >= 95) rows.push(word)
    else rows[rows.length - 1] = last.length > 0 ? `${last} ${word}` : word
  }
  return rows
}
