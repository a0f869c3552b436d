import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Id } from '../kernel/id.ts'
import { lineOfLook, lineOfOpening, writeFile } from './access-log-file.ts'

const look = {
  id: '01a20000-0000-7000-8000-000000000001' as Id<'event'>,
  at: '2026-11-22T06:30:00.000Z',
  type: 'records.viewed',
  person: { name: 'Nair, Dr. "Meera"', role: 'doctor' },
  purpose: 'CAREMGT',
  ground: 'MRN-7',
  records: 3,
}

test('a file of looks: commas, quotes and lines stay within their cells, and nothing becomes a formula', () => {
  const lines = [
    lineOfLook(look, '+91-7'),
    lineOfLook({ id: look.id, at: '', type: '', changed: true }, 'a\nb'),
    lineOfOpening({
      at: new Date(look.at),
      person: { id: 'x' as Id<'staff'>, name: '@SUM(A1)', role: 'nurse' },
      patient: '-1',
    }),
  ]
  assert.equal(
    writeFile('csv', lines),
    [
      'at,person,role,type,patient,purpose,ground,standing,records,event',
      `${look.at},"Nair, Dr. ""Meera""",doctor,records.viewed,'+91-7,CAREMGT,MRN-7,,3,${look.id}`,
      `,,,changed,"a\nb",,,,,${look.id}`,
      `${look.at},'@SUM(A1),nurse,desk.patient-opened,'-1,,,,,`,
      '',
    ].join('\r\n'),
  )
  const [first] = writeFile('ndjson', lines).trim().split('\n')
  assert.deepEqual(JSON.parse(first ?? ''), lines[0])
  assert.equal(writeFile('ndjson', []), '')
})
