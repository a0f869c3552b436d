import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import fs from 'node:fs'
import path from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { sql } from 'kysely'
import { makeVeil } from '../src/db/veil.ts'
import { openKeyFile } from '../src/vault/key-file.ts'
import { openTestDatabase, type TestDatabase, temporaryRoot } from './database.ts'
import { textAt } from './json-path.ts'
import { type Answer, callJson, freePort, type Person, partyName } from './network.ts'
import { waitFor } from './wait.ts'

const START_DEADLINE_MS = 60_000
const CALL_DEADLINE_MS = 90_000
/** A caller whose wire went silent tries again. */
const ANSWER_DEADLINE_MS = 5_000
const MAIN = new URL('../src/main.ts', import.meta.url).pathname

type Child = {
  readonly id: string
  /** Where it listens. */
  readonly url: string
  /** Where everybody else finds it. */
  readonly publicUrl: string
  readonly file: string
  readonly operatorToken: string
  readonly database: TestDatabase
  process: ChildProcess | undefined
  said: string
}

/** Gives the address at which a port of loopback is called. */
type Publish = (port: number) => Promise<string>
const directly: Publish = async (port) => `http://127.0.0.1:${port}`

/**
 * A network of real parties, each a process of its own that can be killed at any moment. Calls are those of a patient client: they
 * are repeated, with the same request id, until an answer comes.
 */
export class ChildNetwork {
  readonly #children = new Map<string, Child>()
  readonly #folder = fs.mkdtempSync(path.join(temporaryRoot(), 'amanat-kill-'))
  readonly #publish: Publish

  private constructor(publish: Publish) {
    this.#publish = publish
  }

  /** `publish` may put something between a port and all who call there. */
  static async start(facilities: readonly string[], publish: Publish = directly): Promise<ChildNetwork> {
    const network = new ChildNetwork(publish)
    try {
      await network.#prepare('sbx')
      await network.resurrect('sbx')
      for (const id of facilities) await network.#prepare(id)
      await Promise.all(facilities.map((id) => network.resurrect(id)))
      return network
    } catch (error) {
      await network.stop()
      throw error
    }
  }

  urlOf(id: string): string {
    return this.#child(id).url
  }

  database(id: string): TestDatabase {
    return this.#child(id).database
  }

  /** Ends a process as a power cut does. */
  async kill(id: string): Promise<void> {
    const child = this.#child(id)
    const running = child.process
    if (running !== undefined && !hasEnded(running)) {
      const ended = once(running, 'exit')
      running.kill('SIGKILL')
      await ended
    }
    child.process = undefined
  }

  /** Starts a process anew; the leases of its dead forerunner have run out by then, and so have the waits of its retries. */
  async resurrect(id: string): Promise<void> {
    const child = this.#child(id)
    if (child.process !== undefined) return
    await sql`update job set claimed_until = null where status = 'waiting'`.execute(child.database.db)
    const running = spawn(process.execPath, [MAIN, 'serve', '--config', child.file], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: process.env['PATH'] },
    })
    child.process = running
    for (const stream of [running.stdout, running.stderr])
      stream?.on('data', (data: Buffer) => (child.said = `${child.said}${data.toString('utf8')}`.slice(-4_000)))
    await waitFor(
      `${id} to be up`,
      async () => {
        if (hasEnded(running)) throw new Error(`${id} ended: ${child.said}`)
        const answer = await fetch(`${child.url}/health/ready`).catch(() => undefined)
        return answer?.status === 200
      },
      START_DEADLINE_MS,
    )
  }

  /** Lets the waiting time of retries pass everywhere; the tries, meant to last for hours, are not used up by it. */
  async hurry(): Promise<void> {
    for (const { database } of this.#children.values())
      await sql`update job set run_at = now(), attempts = least(attempts, 2) where status = 'waiting' and (attempts > 0 or kind = 'hiu.ask-again') and run_at > now()`.execute(
        database.db,
      )
  }

  async stop(): Promise<void> {
    for (const { id } of this.#children.values()) await this.kill(id)
    for (const { database } of this.#children.values()) await database.close()
    fs.rmSync(this.#folder, { recursive: true, force: true })
  }

  /** Writes a file that lives as long as the network; gives its path. */
  keep(name: string, text: string): string {
    const file = path.join(this.#folder, name)
    fs.writeFileSync(file, text)
    return file
  }

  async operator(id: string, at: string, body?: unknown): Promise<Answer> {
    const child = this.#child(id)
    return insist(
      `${child.publicUrl}${at}`,
      { authorization: `Bearer ${child.operatorToken}`, 'idempotency-key': randomUUID() },
      body,
    )
  }

  async asPatient(token: string, at: string, body?: unknown): Promise<Answer> {
    const requestId = randomUUID()
    return insist(
      `${this.#child('sbx').publicUrl}${at}`,
      { 'X-AUTH-TOKEN': token, 'REQUEST-ID': requestId, TIMESTAMP: new Date().toISOString(), 'X-CM-ID': 'sbx' },
      body,
    )
  }

  async patientToken(patient: string): Promise<string> {
    return textAt((await this.operator('sbx', '/v1/sandbox/tokens', { patient })).body, 'token')
  }

  async enrol(person: Person): Promise<void> {
    await this.operator('sbx', '/v1/patients', person)
  }

  #child(id: string): Child {
    const child = this.#children.get(id)
    if (child === undefined) throw new Error(`no party ${id}`)
    return child
  }

  async #prepare(id: string): Promise<void> {
    const keysFolder = path.join(this.#folder, id)
    const { indexKey } = await openKeyFile(keysFolder, randomBytes)
    const database = await openTestDatabase(makeVeil(indexKey, randomBytes))
    const port = await freePort()
    const url = await directly(port)
    const publicUrl = await this.#publish(port)
    const operatorToken = randomBytes(32).toString('base64url')
    const file = path.join(this.#folder, `${id}.json`)
    this.#children.set(id, { id, url, publicUrl, file, operatorToken, database, process: undefined, said: '' })
    const shared = {
      id,
      name: partyName('Party', id),
      listen: { port },
      publicUrl,
      database: { url: database.connectionString },
      keysFolder,
      log: { origin: `${id.toLowerCase()}.amanat.example/log` },
      operatorToken,
      allowPrivateNetworks: true,
      logLevel: 'warn',
      textMessages: { kind: 'sandbox' },
    }
    if (id === 'sbx') return fs.writeFileSync(file, JSON.stringify({ role: 'exchange', sandbox: true, ...shared }))
    const { body } = await this.operator('sbx', '/v1/bridges', {
      id,
      name: partyName('Party', id),
      url: publicUrl,
      roles: ['hip', 'hiu'],
    })
    const exchangeUrl = this.#child('sbx').publicUrl
    const exchange = {
      baseUrl: `${exchangeUrl}/api/hiecm`,
      nativeUrl: exchangeUrl,
      cmId: 'sbx',
      clientId: textAt(body, 'clientId'),
      clientSecret: textAt(body, 'clientSecret'),
    }
    fs.writeFileSync(file, JSON.stringify({ role: 'facility', exchange, ...shared }))
  }
}

/** By itself or by a signal. */
export const hasEnded = ({ exitCode, signalCode }: ChildProcess): boolean => exitCode !== null || signalCode !== null

/** Repeats a call with the same request id until an answer comes that is not the fault of a broken machine. */
async function insist(url: string, headers: Readonly<Record<string, string>>, body?: unknown): Promise<Answer> {
  const end = performance.now() + CALL_DEADLINE_MS
  for (;;) {
    const answer = await callJson(url, headers, body, AbortSignal.timeout(ANSWER_DEADLINE_MS)).catch(() => undefined)
    if (answer !== undefined && answer.status < 500) return answer
    if (performance.now() > end) throw new Error(`${url} gives no answer: ${JSON.stringify(answer?.body)}`)
    await pause(25)
  }
}
