import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { type Files, makeLog, makeReceipt, SALT, signer, vkey, witnessVkey } from '../../test/made-log.ts'
import { formatCheckpoint } from '../crypto/checkpoint.ts'
import { makeCosigner } from '../crypto/cosignature.ts'
import { EMPTY_ROOT } from '../crypto/merkle.ts'
import { formatNote, formatVkey, makeSigner, signNote } from '../crypto/signed-note.ts'
import { logVerifyCommand } from './verify-command.ts'

const work = mkdtempSync(join(tmpdir(), 'amanat-log-'))
describe('audit/verify', () => {
  after(() => rmSync(work, { recursive: true, force: true }))

  let folders = 0
  function write(files: Files): string {
    const folder = join(work, String(folders++))
    for (const [path, bytes] of files) {
      mkdirSync(dirname(join(folder, path)), { recursive: true })
      writeFileSync(join(folder, path), bytes)
    }
    return folder
  }

  async function run(...args: string[]): Promise<{ code: number; out: string }> {
    const lines: string[] = []
    const code = await logVerifyCommand(args, { print: (line) => lines.push(line), fetching: fetch })
    return { code, out: lines.join('\n') }
  }

  test('whole logs of many sizes verify', async () => {
    for (const size of [1, 2, 255, 256, 257, 700, 66_000]) {
      const { code, out } = await run(write(await makeLog(size)), '--key', vkey, '--witness', witnessVkey)
      assert.equal(code, 0, out)
      assert.match(out, new RegExp(`ok      tree: ${size} entries`))
      assert.match(out, /cosigned by 1 of 1 witnesses: witness.example\/w/)
    }
  })

  test('one byte flipped in any file fails, and so does any file that is gone', async () => {
    const files = await makeLog(600)
    assert.equal((await run(write(files), '--key', vkey)).code, 0)
    for (const [path, bytes] of files) {
      if (path === 'vkey') continue
      for (const at of [0, Math.floor(bytes.length / 2), bytes.length - 2]) {
        const changed = Uint8Array.from(bytes)
        changed[at] = (changed[at] ?? 0) ^ 1
        const { code, out } = await run(
          write(new Map(files).set(path, changed)),
          '--key',
          vkey,
          '--witness',
          witnessVkey,
        )
        assert.equal(code, 1, `${path} at ${at}: ${out}`)
        assert.match(out, /^failed {2}/m)
      }
      const longer = new Map(files).set(path, Buffer.concat([bytes, Buffer.alloc(32)]))
      assert.equal((await run(write(longer), '--key', vkey)).code, 1, `${path} longer`)
      const less = new Map(files)
      less.delete(path)
      assert.equal((await run(write(less), '--key', vkey)).code, 1, `${path} gone`)
    }
  })

  test('a partial tile that was replaced by the full one is found there', async () => {
    const files = await makeLog(200)
    const longer = await makeLog(300)
    for (const path of ['tile/0/000.p/200', 'tile/entries/000.p/200']) files.delete(path)
    for (const path of ['tile/0/000', 'tile/entries/000']) files.set(path, longer.get(path) ?? Buffer.of())
    assert.equal((await run(write(files), '--key', vkey)).code, 0)
  })

  test('--since: growth is well; a fork, a roll-back and a stranger are not', async () => {
    const save = (files: Files): string => join(write(files), 'checkpoint')
    const older = save(await makeLog(100))
    const now = write(await makeLog(500))
    const grown = await run(now, '--key', vkey, '--since', older)
    assert.equal(grown.code, 0, grown.out)
    assert.match(grown.out, /the log of 500 entries continues the one of 100/)
    const forked = await run(now, '--key', vkey, '--since', save(await makeLog(100, 'x')))
    assert.ok(forked.code === 1 && forked.out.includes('forked'), forked.out)
    const rolled = await run(write(await makeLog(90)), '--key', vkey, '--since', older)
    assert.ok(rolled.code === 1 && rolled.out.includes('rolled back'), rolled.out)
    const fork = await run(now, '--key', vkey, '--since', save(await makeLog(500, 'x')))
    assert.equal(fork.code, 1, 'same size, other tree')
    assert.equal((await run(now, '--key', vkey, '--since', join(work, 'absent'))).code, 1)
  })

  test('keys: trust on first use is said, a wrong or malformed key fails, a missing witness fails', async () => {
    const files = await makeLog(10)
    const folder = write(files)
    const first = await run(folder)
    assert.equal(first.code, 0)
    assert.match(first.out, /trust on first use/)
    assert.ok(first.out.includes(vkey))
    const stranger = formatVkey(makeSigner('log.example/a', new Uint8Array(32).fill(9)).key)
    assert.equal((await run(folder, '--key', stranger)).code, 1)
    assert.equal((await run(folder, '--key', formatVkey(makeSigner('b', new Uint8Array(32).fill(1)).key))).code, 1)
    assert.equal((await run(folder, '--key', 'rubbish')).code, 1)
    const missing = formatVkey(makeCosigner('w2.example', new Uint8Array(32).fill(7)).key)
    assert.equal((await run(folder, '--key', vkey, '--witness', witnessVkey, '--witness', missing)).code, 1)
    files.delete('vkey')
    assert.equal((await run(write(files))).code, 1, 'no key at all')
  })

  test('nothing there, an empty log, a wrong call', async () => {
    assert.equal((await run(join(work, 'nowhere'), '--key', vkey)).code, 1)
    assert.equal((await run(write(new Map([['x', Buffer.of()]])), '--key', vkey)).code, 1)
    const text = formatCheckpoint({ origin: signer.key.name, size: 0, root: EMPTY_ROOT })
    const empty = write(
      new Map([['checkpoint', Buffer.from(formatNote({ text, signatures: [signNote(text, signer)] }))]]),
    )
    const { code, out } = await run(empty, '--key', vkey)
    assert.ok(code === 1 && out.includes('empty'))
    for (const args of [[], ['a', 'b'], ['a', '--unknown']]) assert.equal((await run(...args)).code, 2)
  })

  test('over HTTP, also when the server breaks, redirects or is not there', async () => {
    const files = await makeLog(300)
    let mode: 'well' | 'broken' | 'redirect' = 'well'
    const server = createServer((request, response) => {
      const bytes = files.get((request.url ?? '').replace('/log/', ''))
      if (mode === 'broken' && request.url?.includes('tile')) return response.writeHead(500).end()
      if (mode === 'redirect') return response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end()
      return bytes ? response.writeHead(200).end(bytes) : response.writeHead(404).end()
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/log`
    try {
      assert.equal((await run(url)).code, 0)
      assert.equal((await run(`${url}/`, '--key', vkey)).code, 0)
      assert.equal((await run(`${url}/checkpoint`, '--key', vkey)).code, 0)
      mode = 'broken'
      assert.match((await run(url, '--key', vkey)).out, /failed .*answered 500/)
      mode = 'redirect'
      assert.equal((await run(url, '--key', vkey)).code, 1)
    } finally {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    }
    const gone = await run(url, '--key', vkey)
    assert.ok(gone.code === 1 && gone.out.startsWith('failed'))
  })

  test('a receipt file', async () => {
    const files = await makeLog(400)
    const receipt = await makeReceipt(files, 123)
    const path = join(work, 'receipt.json')
    writeFileSync(path, JSON.stringify(receipt))
    const own = await run(path)
    assert.equal(own.code, 0, own.out)
    assert.match(own.out, /test\.done .* is entry 123/)
    assert.match(own.out, /cosigned by 1 of 1/)
    assert.equal((await run(path, '--key', vkey, '--witness', witnessVkey)).code, 0)
    assert.equal((await run(path, '--key', formatVkey(makeSigner('log.example/a', SALT).key))).code, 1)
    assert.equal((await run(path, '--key', vkey, '--witness', formatVkey(makeCosigner('z', SALT).key))).code, 1)
    assert.equal((await run(path, '--since', path)).code, 1)
    writeFileSync(path, JSON.stringify({ ...receipt, at: '2026-11-22T06:30:00.001Z' }))
    const changed = await run(path, '--key', vkey)
    assert.ok(changed.code === 1 && changed.out.includes('does not hold'), changed.out)
    writeFileSync(path, 'not a receipt')
    assert.equal((await run(path)).code, 1)
  })

  test('the formats are those of the kept vectors', async () => {
    const folder = fileURLToPath(new URL('../../test/vectors/log', import.meta.url))
    const kept = readFileSync(join(folder, 'vkey'), 'utf8').trim()
    const args = [
      '--key',
      kept,
      '--witness',
      'exchange.example/witness+cfb11688+BIE5dw6ofRdfVqNUZsNMfszLjYqRtO43ol32D1uPybOU',
    ]
    const whole = await run(folder, ...args, '--since', join(folder, 'older-checkpoint'))
    assert.equal(whole.code, 0, whole.out)
    const receipt = await run(join(folder, 'receipt.json'), ...args)
    assert.equal(receipt.code, 0, receipt.out)
  })

  const published = new URL('../../../shared/anchors/vectors/', import.meta.url)

  test('a log made by another program verifies', { skip: !existsSync(published) }, async () => {
    const notes = JSON.parse(readFileSync(new URL('signed-note/notes.json', published), 'utf8')) as {
      keyIdOnly: { vkey: string }[]
    }
    const key = notes.keyIdOnly.find((k) => k.vkey.startsWith('example.com/log/testdata+'))?.vkey ?? ''
    const folder = fileURLToPath(new URL('tlog-tiles/tessera-testlog', published))
    for (const n of [1, 5, 14]) {
      const { code, out } = await run(folder, '--key', key, '--since', join(folder, `checkpoint.${n}`))
      assert.equal(code, 0, out)
      assert.match(out, /tree: 15 entries/)
    }
  })
})
