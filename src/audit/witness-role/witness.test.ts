import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import fs from 'node:fs'
import { request as httpRequest } from 'node:http'
import os from 'node:os'
import path from 'node:path'
import { after, describe, test } from 'node:test'
import { makeTestClock } from '../../../test/machine.ts'
import { freePort } from '../../../test/network.ts'
import { formatCheckpoint, parseSignedCheckpoint } from '../../crypto/checkpoint.ts'
import { verifierOf } from '../../crypto/cosignature.ts'
import { consistencyRanges, leafHash, rootOf } from '../../crypto/merkle.ts'
import { formatNote, formatVkey, makeSigner, openNote, parseNote, signNote } from '../../crypto/signed-note.ts'
import { LIMITS } from '../../kernel/limits.ts'
import { isRefusal, must } from '../../kernel/refusal.ts'
import { addLog } from './known-logs.ts'
import { serveWitness } from './server.ts'
import { openSeenFile, WitnessFault } from './state-file.ts'
import { openWitness } from './witness.ts'

const ROOT = fs.mkdtempSync(path.join(os.tmpdir(), 'amanat-witness-'))
describe('audit/witness-role/witness', () => {
  after(() => fs.rmSync(ROOT, { recursive: true, force: true }))
  const folderNamed = (name: string): string => path.join(ROOT, name)
  const random = (bytes: number): Uint8Array => new Uint8Array(randomBytes(bytes))
  const NAME = 'witness.example/w'
  const log = makeSigner('hospital.example/log', new Uint8Array(32).fill(1))
  const leaves = (count: number, fork: string): Uint8Array[] =>
    Array.from({ length: count }, (_, i) => leafHash(Buffer.from(i < 2 ? `${i}` : `${fork}${i}`)))

  function addition(old: number, size: number, fork = '', by = log): string {
    const tree = leaves(size, fork)
    const text = formatCheckpoint({ origin: by.key.name, size, root: rootOf(tree) })
    const proof = consistencyRanges(old, size).map(({ start, end }) => rootOf(tree.slice(start, end)))
    const lines = proof.map((hash) => `${Buffer.from(hash).toString('base64')}\n`).join('')
    return `old ${old}\n${lines}\n${formatNote({ text, signatures: [signNote(text, by)] })}`
  }

  const bodyOf = (text: string): Uint8Array => new TextEncoder().encode(text)
  const clock = makeTestClock()
  const openIn = (name: string) => openWitness(folderNamed(name), NAME, { now: clock.now, random })

  test('a witness remembers over a restart, and takes logs that are added while it runs', async () => {
    const first = await openIn('restart')
    assert.equal((await first.addCheckpoint(bodyOf(addition(0, 3)))).status, 404)
    addLog(folderNamed('restart'), formatVkey(log.key))
    assert.equal((await first.addCheckpoint(bodyOf(addition(0, 3)))).status, 200)
    await assert.rejects(openIn('restart'), /already using/, 'one process at a time')
    await first.close()

    const again = await openIn('restart')
    const stale = await again.addCheckpoint(bodyOf(addition(0, 5)))
    assert.deepEqual([stale.status, stale.body], [409, '3\n'])
    assert.equal((await again.addCheckpoint(bodyOf(addition(3, 5, 'fork')))).status, 422)
    const good = await again.addCheckpoint(bodyOf(addition(3, 5)))
    assert.equal(good.status, 200)
    const monitor = again.monitor(createHash('sha256').update(log.key.name).digest('hex'))
    const note = must(parseNote(String(monitor.body)))
    assert.ok(!isRefusal(openNote(note, [must(verifierOf(formatVkey(again.cosigner.key)))])))
    assert.equal(again.monitor('0'.repeat(64)).status, 404)
    assert.equal(formatVkey(again.cosigner.key), formatVkey(first.cosigner.key))
    await again.close()
  })

  test('of many requests at once that contradict each other one tree wins', async () => {
    const witness = await openIn('race')
    addLog(folderNamed('race'), formatVkey(log.key))
    assert.equal((await witness.addCheckpoint(bodyOf(addition(0, 2)))).status, 200)
    const asked = Array.from({ length: 40 }, (_, i) => addition(2, 3 + (i % 5), i % 2 === 0 ? '' : 'fork'))
    const answers = await Promise.all(asked.map((body) => witness.addCheckpoint(bodyOf(body))))
    assert.deepEqual(
      answers.map(({ status }) => status).toSorted((a, b) => a - b),
      [200, ...Array<number>(39).fill(409)],
    )
    await witness.close()
  })

  test('so many cosignatures of one log a minute, and no more', async () => {
    const witness = await openIn('rate')
    addLog(folderNamed('rate'), formatVkey(log.key))
    const asking = addition(2, 2)
    assert.equal((await witness.addCheckpoint(bodyOf(addition(0, 2)))).status, 200)
    for (let i = 1; i < LIMITS.witnessCosignaturesPerMinuteMax; i++)
      assert.equal((await witness.addCheckpoint(bodyOf(asking))).status, 200)
    const refused = await witness.addCheckpoint(bodyOf(asking))
    assert.equal(refused.status, 429)
    assert.match(refused.headers?.['retry-after'] ?? '', /^\d+$/)
    clock.advance(60_000)
    assert.equal((await witness.addCheckpoint(bodyOf(asking))).status, 200)
    await witness.close()
  })

  test('a torn end of the memory is cut off; every other damage, and a lost memory, stops the witness', async () => {
    const folder = folderNamed('damage')
    const witness = await openIn('damage')
    addLog(folder, formatVkey(log.key))
    for (const [old, size] of [
      [0, 3],
      [3, 4],
      [4, 9],
    ] as const)
      assert.equal((await witness.addCheckpoint(bodyOf(addition(old, size)))).status, 200)
    await witness.close()
    const file = path.join(folder, 'seen.log')
    const whole = fs.readFileSync(file)
    const size = async (): Promise<number> => {
      const seen = await openSeenFile(folder, false)
      const found = seen.seen(log.key.name).size
      await seen.close()
      return found
    }
    assert.equal(await size(), 9)
    const lastLine = whole.lastIndexOf('\n', whole.length - 2) + 1
    for (const cut of [whole.length - 1, whole.length - 40, lastLine + 1]) {
      fs.writeFileSync(file, whole.subarray(0, cut))
      assert.equal(await size(), 4, `cut at ${cut}`)
      assert.equal(fs.statSync(file).size, lastLine, 'what was torn is gone')
    }
    for (const at of [5, Math.floor(lastLine / 2), lastLine + 70, whole.length - 3]) {
      const bent = Buffer.from(whole)
      bent[at] = (bent[at] ?? 0) ^ 1
      fs.writeFileSync(file, bent)
      await assert.rejects(size(), WitnessFault, `bent at ${at}`)
    }
    const firstNote = whole.indexOf('\n') + 1
    for (const left of [Buffer.alloc(0), whole.subarray(firstNote), whole.subarray(0, firstNote - 1)]) {
      fs.writeFileSync(file, left)
      await assert.rejects(size(), /does not begin as it was begun/)
    }
    fs.rmSync(file)
    await assert.rejects(openIn('damage'), /is gone/)
  })

  test('over HTTP: the answers of the protocol, a body that is too large, and too many calls', async () => {
    const witness = await openIn('http')
    addLog(folderNamed('http'), formatVkey(log.key))
    const server = await serveWitness(
      { witness, now: clock.now, fault: (error) => assert.fail(String(error)) },
      { host: '127.0.0.1', port: 0 },
    )
    const url = `http://127.0.0.1:${server.port}`
    const post = (body: string) => fetch(`${url}/add-checkpoint`, { method: 'POST', body })
    assert.equal((await post(addition(0, 3))).status, 200)
    const old = await post(addition(0, 3))
    assert.deepEqual([old.status, old.headers.get('content-type'), await old.text()], [409, 'text/x.tlog.size', '3\n'])
    assert.equal((await post('x'.repeat(LIMITS.witnessBodyBytesMax + 1))).status, 413)
    assert.equal((await fetch(`${url}/add-checkpoint`)).status, 405)
    assert.equal((await fetch(`${url}/../etc/passwd`)).status, 404)
    assert.equal((await (await fetch(`${url}/vkey`)).text()).trim(), formatVkey(witness.cosigner.key))
    const codes = new Set<number>()
    for (let i = 0; i < LIMITS.witnessCallsPerMinuteMax; i++) codes.add((await fetch(`${url}/vkey`)).status)
    assert.deepEqual([...codes], [200, 429])
    assert.equal((await fetch(`${url}/health/live`)).status, 200)
    await server.close()
    await witness.close()
  })

  /** The command as `amanat witness` runs it, without the rest of the program, which takes long to read. */
  const CHILD = `
  import { randomBytes } from 'node:crypto'
  const { witnessCommand } = await import(${JSON.stringify(new URL('./witness-command.ts', import.meta.url).href)})
  const print = (line) => process.stdout.write(line + '\\n')
  const until = () => new Promise((resolve) => setTimeout(resolve, 60_000))
  await witnessCommand(process.argv.at(-1), {}, { now: () => new Date(), random: (n) => new Uint8Array(randomBytes(n)), print, until })`

  type Running = { readonly process: ChildProcess; readonly url: string }

  async function start(config: string, port: number): Promise<Running> {
    const child = spawn(process.execPath, ['--input-type=module', '-e', CHILD, config], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    for await (const line of child.stdout as AsyncIterable<Buffer>) if (line.toString().includes('listens on')) break
    return { process: child, url: `http://127.0.0.1:${port}` }
  }

  /** One connection for each call: nothing is tried again behind our back. */
  const postOnce = (url: string, body: string): Promise<{ status: number; body: string } | undefined> =>
    new Promise((resolve) => {
      const call = httpRequest(`${url}/add-checkpoint`, { method: 'POST', agent: false }, (answer) => {
        const parts: Buffer[] = []
        answer.on('data', (part: Buffer) => parts.push(part))
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, body: Buffer.concat(parts).toString() }))
        answer.on('error', () => resolve(undefined))
      })
      call.on('error', () => resolve(undefined))
      call.end(body)
    })

  test('kill -9 again and again: what was cosigned is one tree that never shrinks', async () => {
    const folder = folderNamed('kill')
    fs.mkdirSync(folder)
    const port = await freePort()
    const config = path.join(folder, 'witness.json')
    fs.writeFileSync(config, JSON.stringify({ name: NAME, listen: { port }, folder: 'state' }))
    fs.mkdirSync(path.join(folder, 'state'))
    addLog(path.join(folder, 'state'), formatVkey(log.key))
    const cosigned = new Map<number, string>()
    let size = 0
    for (let round = 0; round < 3; round++) {
      const running = await start(config, port)
      const exited = once(running.process, 'exit')
      const enough = Promise.withResolvers<void>()
      const before = size
      let alive = true
      // Two histories are pushed at once, each from what the witness says it has.
      const push = async (fork: string): Promise<void> => {
        let old = size
        while (alive) {
          const next = old + 1
          const known = size
          const body = addition(old, next, fork)
          const answer = await postOnce(running.url, body)
          if (answer?.status === 200) {
            const root = must(parseSignedCheckpoint(body.slice(body.indexOf('\n\n') + 2))).checkpoint.root
            const hex = Buffer.from(root).toString('hex')
            assert.equal(cosigned.get(next) ?? hex, hex, `two trees of ${next}`)
            cosigned.set(next, hex)
            assert.ok(next >= known, `rolled back: ${next} after ${known}`)
            size = Math.max(size, next)
            if (size >= before + 5) enough.resolve()
            old = next
          } else if (answer?.status === 409) {
            old = Number(answer.body.trim())
            assert.ok(old >= known, `it forgot: ${old} after ${known}`)
          } else if (answer !== undefined) assert.equal(answer.status, 422)
          // The losing history has lost for good.
          if (answer?.status === 422) return
        }
      }
      const pushing = Promise.all([push(''), push('fork'), push('')])
      const early = exited.then(() => assert.fail('the witness ended by itself'))
      try {
        await Promise.race([enough.promise, pushing, early])
      } finally {
        alive = false
        running.process.kill('SIGKILL')
        await exited
      }
      await pushing
    }
    assert.ok(size >= 15)
    // Trees of more than two leaves belong to one history only.
    const histories = [...cosigned].flatMap(([count, root]) =>
      count > 2 ? [['', 'fork'].findIndex((fork) => hexRoot(count, fork) === root)] : [],
    )
    assert.deepEqual([...new Set(histories)], [histories[0]])
    assert.notEqual(histories[0], -1)
  })

  const hexRoot = (count: number, fork: string): string => Buffer.from(rootOf(leaves(count, fork))).toString('hex')
})
