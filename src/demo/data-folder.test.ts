import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { DataPlaceFault, openDataFolder } from './data-folder.ts'

const base = mkdtempSync(join(tmpdir(), 'amanat-place-'))
describe('demo/data-folder', () => {
  after(() => rmSync(base, { recursive: true, force: true }))

  test('a data folder is made with its parents', () => {
    const folder = join(base, 'a', 'b')
    assert.equal(openDataFolder(folder), folder)
    assert.ok(existsSync(folder))
  })

  test('a place that cannot be one is a sentence that names it', () => {
    const file = join(base, 'file')
    writeFileSync(file, '')
    for (const place of [file, join(file, 'below'), '/proc/amanat']) {
      assert.throws(
        () => openDataFolder(place),
        (error) =>
          error instanceof DataPlaceFault && error.message.includes(place) && /Set AMANAT_DATA/.test(error.message),
      )
    }
  })
})
