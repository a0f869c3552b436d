import { lookup as dnsLookup, type LookupAddress } from 'node:dns'
import { BlockList, isIP, type LookupFunction } from 'node:net'
import { Agent, buildConnector, request } from 'undici'
import { LIMITS } from '../kernel/limits.ts'
import { makeTardyHosts } from './tardy-hosts.ts'

/** What came of a call to another party. `failed` = no complete answer arrived; the peer may or may not have acted. */
export type CallOutcome =
  | {
      readonly kind: 'answered'
      readonly status: number
      readonly headers: Readonly<Record<string, string>>
      readonly body: Buffer
      readonly tookMs: number
    }
  /** With `isTooLong` there was an answer, longer than is read: it would be the next time, too. */
  | { readonly kind: 'failed'; readonly reason: string; readonly tookMs: number; readonly isTooLong?: true }
  /** The address is not one we may call: nothing was sent. */
  | { readonly kind: 'forbidden'; readonly reason: string; readonly tookMs: number }

export type OutboundCall = {
  readonly method: 'GET' | 'POST'
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
  /** In place of `body`, where what is sent is no text. */
  readonly bytes?: Uint8Array
  readonly timeoutMs?: number
  /** Longest answer that is read, where it is not `LIMITS.answerBytesMax`. */
  readonly answerBytesMax?: number
}

export type Outbound = {
  readonly call: (call: OutboundCall) => Promise<CallOutcome>
  readonly close: () => Promise<void>
}

/** A certificate that we present to one other party (`https://host:port`), and the authority that made theirs; all in PEM. */
export type OwnCertificateFor = {
  readonly origin: string
  /** Asked at each new connection: certificates are renewed while we run. */
  readonly files: () => { readonly cert: Buffer; readonly key: Buffer; readonly ca?: Buffer }
}

/** Addresses that are ours or nobody's: loopback, private, link-local, shared, multicast, documentation (RFC 6890, RFC 4193). */
const PRIVATE = new BlockList()
for (const [net, bits] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
] as const)
  PRIVATE.addSubnet(net, bits, 'ipv4')
for (const [net, bits] of [
  // Ways to write or carry an IPv4 address: compatible, translated, NAT64, Teredo, 6to4.
  ['::', 96],
  ['::ffff:0:0:0', 96],
  ['64:ff9b::', 96],
  ['64:ff9b:1::', 48],
  ['2001::', 23],
  ['2002::', 16],
  ['100::', 64],
  ['2001:db8::', 32],
  ['3fff::', 20],
  ['fc00::', 7],
  ['fe80::', 10],
  ['fec0::', 10],
  ['ff00::', 8],
] as const)
  PRIVATE.addSubnet(net, bits, 'ipv6')

/** Whether an IP address is in a range that must not be called unless the configuration allows it. */
export function isPrivateAddress(address: string): boolean {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1]
  const plain = mapped ?? address
  return PRIVATE.check(plain, isIP(plain) === 6 ? 'ipv6' : 'ipv4')
}

/**
 * The one way out of the building. Redirects are never followed; the address is checked at the moment of connecting, so
 * neither a redirect nor a changing DNS answer leads into private ranges (no SSRF), unless `allowPrivateNetworks`.
 */
export function makeOutbound(options: {
  readonly allowPrivateNetworks: boolean
  /** The only hosts that are called; one with a dot before it stands for all below it. */
  readonly hosts?: readonly string[]
  readonly nowMs: () => number
  readonly certificates?: readonly OwnCertificateFor[]
}): Outbound {
  const guarded: LookupFunction = (hostname, lookupOptions, callback) => {
    dnsLookup(hostname, { ...lookupOptions, all: true }, (error, addresses: LookupAddress[]) => {
      if (error) return callback(error, '', 0)
      const open = options.allowPrivateNetworks ? addresses : addresses.filter((a) => !isPrivateAddress(a.address))
      const first = open[0]
      if (!first) return callback(new ForbiddenAddress(hostname), '', 0)
      return lookupOptions.all ? callback(null, open as never, 0) : callback(null, first.address, first.family)
    })
  }
  const tardy = makeTardyHosts(options.nowMs)
  const usual = { lookup: guarded, timeout: LIMITS.callTimeoutMs }
  const makeAgent = (connect: typeof usual | buildConnector.connector): Agent =>
    new Agent({ connect, connections: 32, pipelining: 1 })
  const agent = makeAgent(usual)
  const presenting = new Map(
    (options.certificates ?? []).map(({ origin, files }) => [origin, makeAgent(connectorOf(usual, files))]),
  )
  const call = async (wanted: OutboundCall): Promise<CallOutcome> => {
    const startedMs = options.nowMs()
    const tookMs = (): number => Math.round(options.nowMs() - startedMs)
    const fault = checkUrl(wanted.url, options.allowPrivateNetworks) ?? checkHost(wanted.url, options.hosts)
    if (fault !== undefined) return { kind: 'forbidden', reason: fault, tookMs: tookMs() }
    const { origin } = new URL(wanted.url)
    if (!tardy.mayCall(origin))
      return { kind: 'failed', reason: 'it let us wait too often; not called for a while', tookMs: tookMs() }
    try {
      const timeoutMs = wanted.timeoutMs ?? LIMITS.callTimeoutMs
      const answer = await request(wanted.url, {
        method: wanted.method,
        headers: { ...wanted.headers },
        body: wanted.bytes ?? wanted.body ?? null,
        dispatcher: presenting.get(origin) ?? agent,
        signal: AbortSignal.timeout(timeoutMs),
        headersTimeout: timeoutMs,
        bodyTimeout: timeoutMs,
      })
      const body = await readLimited(answer.body, wanted.answerBytesMax ?? LIMITS.answerBytesMax)
      const headers = Object.fromEntries(
        Object.entries(answer.headers).map(([k, v]) => [k, Array.isArray(v) ? v.join(', ') : (v ?? '')]),
      )
      tardy.note(origin, true)
      return { kind: 'answered', status: answer.statusCode, headers, body, tookMs: tookMs() }
    } catch (error) {
      const reason = error instanceof Error ? describe(error) : 'unknown failure'
      tardy.note(origin, reason !== NO_ANSWER)
      if (isForbidden(error)) return { kind: 'forbidden', reason, tookMs: tookMs() }
      const tooLong = error instanceof AnswerTooLong ? ({ isTooLong: true } as const) : {}
      return { kind: 'failed', reason, tookMs: tookMs(), ...tooLong }
    }
  }
  return {
    call,
    close: async () => void (await Promise.all([agent, ...presenting.values()].map((each) => each.close()))),
  }
}

/** A renewal that is not whole yet fails this connection, not the process. */
function connectorOf(usual: buildConnector.BuildOptions, files: OwnCertificateFor['files']): buildConnector.connector {
  return (target, connected) => {
    try {
      buildConnector({ ...usual, ...files() })(target, connected)
    } catch (error) {
      connected(error instanceof Error ? error : new Error('unreadable certificate'), null)
    }
  }
}

class ForbiddenAddress extends Error {
  constructor(host: string) {
    super(
      `${host} resolves only to private addresses, which this party may not call (set allowPrivateNetworks to allow it)`,
    )
  }
}

function isForbidden(error: unknown): boolean {
  return error instanceof ForbiddenAddress || (error instanceof Error && error.cause instanceof ForbiddenAddress)
}

/** Below it lie mail, name and login services, which must not be spoken to in HTTP (RFC 6335 §6). */
const FREE_PORTS_FROM = 1_024

function checkUrl(text: string, allowPrivate: boolean): string | undefined {
  if (!URL.canParse(text)) return 'the address is not a URL'
  const url = new URL(text)
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    return `the address uses ${url.protocol}, only http and https are called`
  if (url.username || url.password) return 'the address carries a user name or password'
  const host = url.hostname.replace(/^\[|\]$/g, '')
  if (!allowPrivate && isIP(host) && isPrivateAddress(host))
    return `${host} is a private address, which this party may not call (set allowPrivateNetworks to allow it)`
  if (!allowPrivate && url.protocol !== 'https:')
    return 'the address uses http:, and only https: is called outside (set allowPrivateNetworks for a network of your own)'
  if (!allowPrivate && url.port !== '' && Number(url.port) < FREE_PORTS_FROM)
    return `port ${url.port} belongs to another service than the web`
  return undefined
}

function checkHost(text: string, hosts: readonly string[] | undefined): string | undefined {
  const { hostname } = new URL(text)
  const isListed = hosts?.some((host) => (host.startsWith('.') ? hostname.endsWith(host) : hostname === host)) ?? true
  return isListed
    ? undefined
    : `${hostname} is not among the hosts that this party may call (callsOnly in its settings)`
}

class AnswerTooLong extends Error {}

async function readLimited(stream: AsyncIterable<Buffer>, bytesMax: number): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of stream) {
    size += chunk.length
    if (size > bytesMax) throw new AnswerTooLong(`the answer is larger than ${bytesMax} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

const NO_ANSWER = 'no answer in time'
const TIMEOUTS = ['TimeoutError', 'ConnectTimeoutError', 'HeadersTimeoutError', 'BodyTimeoutError']

function describe(error: Error): string {
  if (TIMEOUTS.includes(error.name)) return NO_ANSWER
  const code = 'code' in error && typeof error.code === 'string' ? `${error.code}: ` : ''
  return `${code}${error.message}`
}
