import { createPublicKey, randomUUID, verify } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { comeBack } from './come-back.ts'
import { faultsOfCallback, type Personality } from './fake-demands.ts'
import { at } from './json-path.ts'
import { waitFor } from './wait.ts'

export type Callback = { readonly path: string; readonly headers: IncomingHttpHeaders; readonly body: unknown }
export type Answered = {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  readonly requestId: string
}

/** How a bridge misbehaves at a path. `drop` acts on the message and then breaks the connection; `twice` acts twice. */
export type Fault =
  | 'down'
  | 'slow'
  | 'error'
  | 'rubbish'
  | 'drop'
  | 'twice'
  | { readonly redirectTo: string }
  | { readonly status: number }
type FaultRule = { readonly path: string; readonly fault: Fault; left: number }

export type Joined = { readonly baseUrl: string; readonly clientId: string; readonly clientSecret: string }
export type CallOptions = {
  readonly headers?: Readonly<Record<string, string>>
  readonly method?: string
  readonly requestId?: string
  readonly token?: string
  readonly timestamp?: string
}
type Act = (callback: Callback) => Promise<void> | void

/**
 * A third party's bridge: a real HTTP server and client of one of the two known kinds. It keeps every callback, and what was wrong
 * with it; `stop` throws when anything was.
 */
export class FakeBridge {
  readonly received: Callback[] = []
  readonly faults: string[] = []
  readonly #rules: FaultRule[] = []
  readonly #published = new Map<string, string>()
  readonly #acts = new Map<string, Act>()
  readonly #server = createServer((request, response) => {
    this.#serve(request, response).catch((error: unknown) => this.#noteBroken(error, request, response))
  })
  readonly personality: Personality
  readonly facility: string
  #joined: Joined | undefined
  #token: string | undefined
  #isStopped = false
  #running = new Set<Promise<void>>()

  constructor(personality: Personality, facility: string) {
    this.personality = personality
    this.facility = facility
  }

  async start(): Promise<this> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    return this
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  join(joined: Joined): void {
    this.#joined = joined
  }

  /** What happens after a callback at `path` (or below it, when it ends in `/`) was answered. */
  on(path: string, act: Act): void {
    this.#acts.set(path, act)
  }

  /** Gives `text` to whoever gets `path`. */
  publish(path: string, text: string): void {
    this.#published.set(path, text)
  }

  misbehave(path: string, fault: Fault, times = Number.POSITIVE_INFINITY): void {
    this.#rules.push({ path, fault, left: times })
  }

  behave(): void {
    this.#rules.length = 0
  }

  /** Waits until it has done all that it does by itself. */
  async idle(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running)
  }

  /** Closes the door, waits for what it does by itself, and says what the other side did wrong. */
  async stop(): Promise<void> {
    await this.idle()
    this.#isStopped = true
    this.#server.closeAllConnections()
    this.#server.close()
    if (this.faults.length > 0)
      throw new Error(`${this.personality} bridge ${this.facility} found faults:\n  ${this.faults.join('\n  ')}`)
  }

  /** Calls the exchange at a path below its base; a refused token is thrown away and fetched anew, once, as CARE does. */
  async call(path: string, body: unknown, options: CallOptions = {}): Promise<Answered> {
    const requestId = options.requestId ?? randomUUID()
    const send = async (): Promise<Answered> => {
      const headers = {
        ...this.#standard(requestId, options.timestamp),
        authorization: `Bearer ${options.token ?? (await this.token())}`,
        ...options.headers,
      }
      return this.#fetch(options.method ?? 'POST', path, headers, body, requestId)
    }
    const first = await send()
    if (options.token !== undefined || !first.text.includes('900901')) return first
    this.#token = undefined
    return send()
  }

  /** A call whose status must be what this client checks for. */
  async insist(path: string, body: unknown, options: CallOptions = {}, status = 202): Promise<string> {
    const answer = await this.call(path, body, options)
    const isFine = this.personality === 'care' ? answer.status === status : answer.status >= 200 && answer.status < 300
    if (!isFine) throw new Error(`${this.personality} ${path}: ${answer.status} ${answer.text}`)
    return answer.requestId
  }

  async token(): Promise<string> {
    if (this.#token !== undefined) return this.#token
    const { clientId, clientSecret } = this.#exchange()
    const answer = await this.#fetch(
      'POST',
      '/gateway/v3/sessions',
      this.#standard(randomUUID()),
      { clientId, clientSecret, grantType: 'client_credentials' },
      '',
    )
    if (answer.status >= 300) throw new Error(`sessions: ${answer.status} ${answer.text}`)
    if (answer.headers.get('content-type') !== 'application/json')
      this.faults.push(`sessions: Content-Type is ${answer.headers.get('content-type')}`)
    this.#token = (JSON.parse(answer.text) as { accessToken: string }).accessToken
    return this.#token
  }

  /** The callback at `path` that answers our call, or that `matches`. */
  async callback(
    path: string,
    wanted: string | ((callback: Callback) => boolean),
    deadlineMs?: number,
  ): Promise<Callback> {
    const matches =
      typeof wanted === 'function' ? wanted : (one: Callback) => at(one.body, 'response.requestId') === wanted
    return waitFor(
      `${path} at ${this.personality} ${this.facility}`,
      () => this.received.find((one) => one.path === path && matches(one)),
      deadlineMs,
    )
  }

  countOf(path: string): number {
    return this.received.filter((one) => one.path === path).length
  }

  #exchange(): Joined {
    if (this.#joined === undefined) throw new Error('this bridge has not joined an exchange')
    return this.#joined
  }

  #standard(requestId: string, timestamp = new Date().toISOString()): Record<string, string> {
    return { 'REQUEST-ID': requestId, TIMESTAMP: timestamp, 'X-CM-ID': 'sbx', 'content-type': 'application/json' }
  }

  async #fetch(
    method: string,
    path: string,
    headers: Record<string, string>,
    body: unknown,
    requestId: string,
  ): Promise<Answered> {
    const extra = this.personality === 'wrapper' && typeof body === 'object' ? { requestId: '', timestamp: '' } : {}
    const answer = await comeBack(`${this.#exchange().baseUrl}${path}`, {
      method,
      headers,
      redirect: 'manual',
      ...(body === undefined ? {} : { body: JSON.stringify({ ...extra, ...(body as object) }) }),
    })
    return { status: answer.status, headers: answer.headers, text: await answer.text(), requestId }
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = (request.url ?? '/').split('?')[0] ?? '/'
    const fault = this.#faultAt(path)
    if (fault === 'down') return void request.socket.destroy()
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    if (fault === 'slow') return
    if (fault === 'error')
      return void response.writeHead(500, { 'content-type': 'text/html' }).end('<h1>Internal Server Error</h1>')
    if (fault === 'rubbish') return void response.socket?.end('\u0000\u0001 this is not HTTP\r\n\r\n')
    if (typeof fault === 'object' && 'redirectTo' in fault)
      return void response.writeHead(307, { location: fault.redirectTo }).end()
    if (typeof fault === 'object') return void response.writeHead(fault.status).end()
    const published = request.method === 'GET' ? this.#published.get(path) : undefined
    if (request.method === 'GET') return void response.writeHead(published === undefined ? 404 : 200).end(published)
    const body = JSON.parse(Buffer.concat(chunks).toString('utf8')) as unknown
    await this.#take({ path, headers: request.headers, body }, response, fault)
  }

  /** A callback that could not be looked at is a fault, unless who called is gone, or we are. */
  #noteBroken(error: unknown, request: IncomingMessage, response: ServerResponse): void {
    if (this.#isStopped || !request.complete) return
    this.faults.push(`${request.url}: ${String(error)}`)
    response.destroy()
  }

  async #take(callback: Callback, response: ServerResponse, fault: 'drop' | 'twice' | undefined): Promise<void> {
    const { path, headers, body } = callback
    const isCallback = path.startsWith('/api/v3/')
    const found = isCallback
      ? [...faultsOfCallback(this.personality, path, headers, body), ...(await this.#tokenFaults(headers))]
      : []
    this.faults.push(...found)
    this.received.push(callback)
    if (found.length > 0)
      return void response.writeHead(400, { 'content-type': 'application/json' }).end(JSON.stringify({ detail: found }))
    if (fault === 'drop') response.socket?.destroy()
    else response.writeHead(isCallback ? 200 : 202).end()
    const act =
      this.#acts.get(path) ?? [...this.#acts].find(([known]) => known.endsWith('/') && path.startsWith(known))?.[1]
    if (act === undefined) return
    for (let times = fault === 'twice' ? 2 : 1; times > 0; times--) this.#run(Promise.resolve(act(callback)))
  }

  #run(work: Promise<void>): void {
    const noted = work.catch(
      (error: unknown) => void this.faults.push(error instanceof Error ? error.message : String(error)),
    )
    this.#running.add(noted)
    void noted.then(() => this.#running.delete(noted))
  }

  #faultAt(path: string): Fault | undefined {
    const rule = this.#rules.find((one) => one.left > 0 && path.startsWith(one.path))
    if (rule === undefined) return undefined
    rule.left--
    return rule.fault
  }

  /** As CARE checks: keys fetched at every callback, only the first, RS256, audience `account`, not expired. */
  async #tokenFaults(headers: IncomingHttpHeaders): Promise<readonly string[]> {
    if (this.personality !== 'care') return []
    const [head = '', payload = '', signature = ''] = (headers.authorization ?? '').replace(/^Bearer /, '').split('.')
    const answer = await this.call('/gateway/v3/certs', undefined, { method: 'GET' })
    const [first] = (JSON.parse(answer.text) as { keys: Record<string, string>[] }).keys
    if (first === undefined) return ['certs has no key']
    const key = createPublicKey({ key: first, format: 'jwk' })
    if (!verify('RSA-SHA256', Buffer.from(`${head}.${payload}`), key, Buffer.from(signature, 'base64url')))
      return ['the callback token is not signed by keys[0]']
    const read = (part: string): Record<string, unknown> =>
      JSON.parse(Buffer.from(part, 'base64url').toString('utf8')) as Record<string, unknown>
    const claims = read(payload)
    const found = [
      read(head)['alg'] === 'RS256' ? '' : 'alg is not RS256',
      claims['aud'] === 'account' ? '' : 'aud is not account',
      Number(claims['exp']) * 1000 > Date.now() ? '' : 'the token has expired',
    ]
    return found.filter((fault) => fault !== '')
  }
}
