import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, test } from 'node:test'
import { ACCESS_TYPES, isAccess } from '../src/audit/access.ts'
import type { AuditEvent, Recorded } from '../src/audit/record.ts'
import type { Tx } from '../src/db/tx.ts'
import { openDocument } from '../src/hiu/document-store.ts'
import type { AbhaAddress, Id } from '../src/kernel/id.ts'
import { openRecord } from '../src/records/store.ts'

const ROOT = path.join(import.meta.dirname, '..')
const SOURCES = globSync('src/**/*.ts', { cwd: ROOT }).filter((file) => !file.endsWith('.test.ts'))
const textOf = (file: string): string => readFileSync(path.join(ROOT, file), 'utf8')

/** The columns in which the content of records lies, and who opens them. Whoever adds one names it here, and asks for an `Access`. */
const READERS = [
  { table: 'clinical_record', file: 'src/records/store.ts', reader: 'openRecord' },
  { table: 'hiu_document', file: 'src/hiu/document-store.ts', reader: 'openDocument' },
] as const

/** Opened by the program alone, to check what arrived and to put it away: nobody sees it. */
const MACHINE_READERS = ['src/hiu/transfer-store.ts']

/** The functions of a file that are declared at its top, with their text. */
function functionsOf(text: string): ReadonlyMap<string, string> {
  const starts = [...text.matchAll(/^(?:export )?(?:async )?function (\w+)/gm)]
  return new Map(
    starts.map((start, at) => [start[1] ?? '', text.slice(start.index, starts[at + 1]?.index ?? text.length)]),
  )
}

describe('who looked is complete by construction', () => {
  test('no reader of content compiles without the record of the access', () => {
    const document = { id: '' as Id<'hiu-document'>, patient: '' as AbhaAddress, artefact: '' as Id<'artefact'> }
    const reading = (
      tx: Tx,
      other: Recorded<AuditEvent>,
      denied: Recorded<AuditEvent & { type: 'hiu.view-denied' }>,
    ) => [
      // @ts-expect-error: the record of something else will not do
      () => openRecord(tx, other, 'MRN-1', 'id'),
      // @ts-expect-error: nor that of a view that was denied
      () => openDocument(tx, denied, document),
      // @ts-expect-error: nor none
      () => openRecord(tx, undefined, 'MRN-1', 'id'),
    ]
    assert.equal(typeof reading, 'function')
  })

  test('a view that was denied is no access', () => {
    const recorded = (type: string) =>
      ({ event: { type, actor: { kind: 'operator', id: 'x' } } }) as Recorded<AuditEvent>
    for (const type of ACCESS_TYPES) assert.ok(isAccess(recorded(type)))
    for (const type of ['hiu.view-denied', 'records.view-denied', 'consent.granted'])
      assert.ok(!isAccess(recorded(type)))
  })

  test('content is opened by its readers alone, and each asks for an access', () => {
    for (const { table, file, reader } of READERS) {
      const openers = SOURCES.filter((one) => {
        const text = textOf(one)
        return text.includes(`'${table}'`) && /\bopen(?:With|Json|Sealed)\(/.test(text)
      })
      assert.deepEqual(
        openers.filter((one) => !MACHINE_READERS.includes(one)),
        [file],
        `who opens ${table}`,
      )
      const functions = functionsOf(textOf(file))
      for (const [name, text] of functions)
        if (text.includes(`'${table}'`) && /\bopen(?:With|Json|Sealed)\(/.test(text)) {
          assert.equal(name, reader, `${file}: ${name} opens ${table}`)
          assert.match(text, /_access: Access,/, `${name} asks for an access`)
        }
    }
  })

  test('a list of what there is does not bring the content along', () => {
    for (const { table, file, reader } of READERS)
      for (const [name, text] of functionsOf(textOf(file)))
        if (name !== reader && text.includes(`selectFrom('${table}')`))
          assert.doesNotMatch(text, /selectAll|select\(\[[^\]]*'sealed'/, name)
  })

  test('sources of records are read with an access, by the one who collects for a transfer', () => {
    const callers = SOURCES.filter((file) => /\bsource\.read\(/.test(textOf(file)) && !file.startsWith('src/audit/'))
    assert.deepEqual(callers, ['src/hip/collect.ts'])
    assert.match(textOf('src/hip/collect.ts'), /source\.read\(machine, patient, head, access\)/)
  })

  test('nobody makes evidence by saying so', () => {
    const forgers = SOURCES.filter((file) => /\bas (?:unknown as )?(?:Access\b|Recorded<)/.test(textOf(file)))
    assert.deepEqual(forgers, ['src/audit/record.ts'])
  })
})
