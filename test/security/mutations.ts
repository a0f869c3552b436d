import fc from 'fast-check'
import type { Seeded } from '../seeded.ts'
import { leavesOf, put } from '../valid-body.ts'

/** What a hostile client sends to one route: its path as written on the wire, its headers, its bytes. */
export type Hostile = {
  readonly phase: Phase
  readonly told: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: Buffer
}
export const PHASES = [
  'example',
  'boundary',
  'type',
  'shape',
  'depth',
  'size',
  'text',
  'pollution',
  'encoding',
  'header',
  'path',
  'query',
] as const
export type Phase = (typeof PHASES)[number]
/** The phases of which nothing may come into being: what is sent is never a message of the schema. */
export const NEVER_A_MESSAGE: ReadonlySet<Phase> = new Set<Phase>(['depth', 'encoding'])

export type Target = {
  readonly path: string
  readonly body: unknown
  /** Names of what the route takes in its query. */
  readonly queryNames: readonly string[]
}

const BOUNDARIES: readonly unknown[] = [
  '',
  ' ',
  'x'.repeat(255),
  'x'.repeat(256),
  0,
  -1,
  -0,
  1e308,
  5e-324,
  2 ** 53,
  -(2 ** 53) - 1,
  2 ** 31,
  2 ** 63,
  '0000-01-01T00:00:00.000Z',
  '9999-12-31T23:59:59.999Z',
  '2026-02-30',
  '2026-02-29T24:00:00Z',
  '1970-01-01T00:00:00+99:99',
  '00000000-0000-0000-0000-000000000000',
  'ffffffff-ffff-ffff-ffff-ffffffffffff',
  true,
  [],
  {},
  null,
  'null',
  'NaN',
  '１２３４５６',
]
const TEXTS: readonly string[] = [
  'a\u0000b',
  '\ud800',
  '\udfff\ud800',
  '\u202eabc\u202c',
  '\u200f\u061c',
  '\ufeff',
  '😀'.repeat(64),
  'é'.normalize('NFD'),
  '\u0000',
  "'; drop table event; --",
  '%s%n%x',
  '${jndi:ldap://x/a}',
  '{{7*7}}',
  '<script>alert(1)</script>',
  '../../../../etc/passwd',
  'javascript:alert(1)',
  'a\r\nSet-Cookie: x=y',
  '\\u0000',
  '"',
  "\\'",
  '*',
  '%',
  '_',
  '-1 or 1=1',
  'http://[::1]:1/',
  'ﬁ',
  'İ',
  'ß',
]
const POLLUTION = [
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'hasOwnProperty',
  'then',
  'toJSON',
  'status',
  'role',
  'id',
  'bucket',
]
const PATH_PARTS = [
  '..%2f..%2fetc%2fpasswd',
  '%2e%2e%2f',
  '%00',
  'a%00b',
  '%',
  '%zz',
  '%c3%28',
  '%ed%a0%80',
  '%u0041',
  'x'.repeat(299),
  'x'.repeat(4_000),
  '%252e%252e%252f',
  '\\..\\',
  ';id=1',
  '%0d%0aX:%20y',
  '*',
  '__proto__',
  '%F0%9F%98%80',
  "'%20or%20'1'='1",
  '..',
  '.',
]
const QUERIES = [
  '?limit=1&limit=2',
  '?limit=-1',
  '?limit=1e9',
  '?offset=99999999999999999999',
  '?limit[]=1',
  '?limit[a]=1',
  '?__proto__[x]=1',
  '?%00=1',
  '?after=%00',
  '?patient=%ed%a0%80',
  '?' + 'a=1&'.repeat(800),
  '?q=' + 'x'.repeat(6_000),
  '?limit=',
  '?&&&===',
  '?from=9999-12-31&to=0000-01-01',
  '?mobile[]=1',
]
/** In a query, text only; `%` and its like mean something to whoever decodes twice. */
const QUERY_VALUES: readonly string[] = [
  ...TEXTS.filter((text) => text.isWellFormed()),
  ...BOUNDARIES.map(String),
  '%25',
  '%E0%A4%A',
  'Patient/%',
  'Patient/asha.rao%40sbx',
  'ge2026-13-45',
  'ge%',
  '9'.repeat(400),
  '-0.5',
  '1e3',
]

/** One hostile call of a phase; undefined where the phase does not apply to the route. */
export function mutate(seeded: Seeded, phase: Phase, target: Target): Hostile | undefined {
  const { path, body } = target
  const leaves = body === undefined ? [] : leavesOf(body)
  const withBody = (told: string, value: unknown): Hostile => ({
    phase,
    told,
    path,
    headers: {},
    body: Buffer.from(JSON.stringify(value) ?? ''),
  })
  const swap = (value: unknown): Hostile | undefined => {
    if (leaves.length === 0) return undefined
    const leaf = seeded.pick(leaves)
    return withBody(`${leaf.map(String).join('.')} = ${JSON.stringify(value)?.slice(0, 60)}`, put(body, leaf, value))
  }
  switch (phase) {
    case 'example':
      return {
        phase,
        told: 'valid',
        path,
        headers: {},
        ...(body === undefined ? {} : { body: Buffer.from(JSON.stringify(body)) }),
      }
    case 'boundary':
      return swap(seeded.pick(BOUNDARIES))
    case 'type':
      return swap(
        fc.sample(fc.jsonValue({ maxDepth: 3, noUnicodeString: false } as never), {
          numRuns: 1,
          seed: Math.floor(seeded.next() * 2 ** 31),
        })[0],
      )
    case 'shape':
      return body === undefined ? undefined : reshape(seeded, target, withBody)
    case 'depth': {
      const levels = seeded.pick([41, 100, 10_000, 200_000])
      const [open, close] = seeded.pick([
        ['[', ']'],
        ['{"a":', '}'],
      ] as const)
      return body === undefined
        ? undefined
        : raw(target, phase, `${levels} levels`, open.repeat(levels) + '1' + close.repeat(levels))
    }
    case 'size':
      return swap(
        seeded.pick([
          'x'.repeat(70_000),
          '9'.repeat(20_000),
          Array.from({ length: 5_000 }, (_, i) => i),
          'é'.repeat(30_000),
          `${'a'.repeat(30_000)}!`,
          ' '.repeat(30_000),
          '-'.repeat(30_000),
          '1.'.repeat(15_000),
          'a@'.repeat(15_000),
        ]),
      )
    case 'text':
      return swap(
        seeded.next() < 0.6
          ? seeded.pick(TEXTS)
          : fc.sample(fc.string({ unit: 'binary', maxLength: 40 }), {
              numRuns: 1,
              seed: Math.floor(seeded.next() * 2 ** 31),
            })[0],
      )
    case 'pollution':
      return body === undefined ? undefined : pollute(seeded, target)
    case 'encoding':
      return body === undefined ? undefined : misencode(seeded, target)
    case 'header':
      return { ...withHeader(seeded, target), phase }
    case 'path': {
      const part = seeded.pick(PATH_PARTS)
      const steps = path.split('/')
      const at =
        seeded.next() < 0.7 && /[0-9a-f]{8}-/.test(path)
          ? steps.findIndex((step) => /[0-9a-f]{8}-/.test(step))
          : steps.length
      return {
        phase,
        told: part.slice(0, 40),
        path: [...steps.slice(0, at), part, ...steps.slice(at + 1)].join('/'),
        headers: {},
        ...bytes(body),
      }
    }
    case 'query': {
      const isNamed = target.queryNames.length > 0 && seeded.next() < 0.6
      const query = isNamed
        ? `?${seeded.pick(target.queryNames)}=${encodeURIComponent(seeded.pick(QUERY_VALUES))}`
        : seeded.pick(QUERIES)
      const bare = path.split('?')[0] ?? ''
      return { phase, told: query.slice(0, 40), path: `${bare}${query}`, headers: {}, ...bytes(body) }
    }
  }
}

const bytes = (body: unknown): { readonly body?: Buffer } =>
  body === undefined ? {} : { body: Buffer.from(JSON.stringify(body)) }
const raw = ({ path }: Target, phase: Phase, told: string, text: string | Buffer, headers = {}): Hostile => ({
  phase,
  told,
  path,
  headers,
  body: Buffer.from(text as string),
})

/** Members that are missing, too many or twice; lists for objects and objects for lists. */
function reshape(seeded: Seeded, target: Target, withBody: (told: string, value: unknown) => Hostile): Hostile {
  const { body } = target
  const members = typeof body === 'object' && body !== null ? Object.keys(body) : []
  const gone = members.length > 0 ? seeded.pick(members) : ''
  const text = JSON.stringify(body)
  const ways: readonly (() => Hostile)[] = [
    () =>
      withBody(`without ${gone}`, Object.fromEntries(Object.entries(body as object).filter(([name]) => name !== gone))),
    () =>
      withBody('with more', { ...(body as object), status: 'GRANTED', role: 'administrator', extra: { deep: [1] } }),
    () => withBody('in a list', [body]),
    () => withBody('twice in a list', [body, body]),
    () => withBody('a text', 'text'),
    () => withBody('null', null),
    () =>
      raw(
        target,
        'shape',
        'every member twice',
        text.startsWith('{"') ? `{${text.slice(1, -1)},${text.slice(1)}` : text,
      ),
    () => raw(target, 'shape', 'nothing', ''),
  ]
  return seeded.pick(ways)()
}

function pollute(seeded: Seeded, target: Target): Hostile {
  const name = seeded.pick(POLLUTION)
  const value = seeded.pick(['{"polluted":true}', '"x"', 'null', '[]', '{"prototype":{"polluted":true}}'])
  const text = JSON.stringify(target.body)
  const places = [...text.matchAll(/\{(?=")/g)].map(({ index }) => index + 1)
  const at = places.length > 0 ? seeded.pick(places) : 0
  return raw(
    target,
    'pollution',
    `${name} = ${value}`,
    places.length > 0 ? `${text.slice(0, at)}"${name}":${value},${text.slice(at)}` : `{"${name}":${value}}`,
  )
}

function misencode(seeded: Seeded, target: Target): Hostile {
  const text = JSON.stringify(target.body)
  const say = (told: string, body: Buffer | string, headers: Readonly<Record<string, string>> = {}) =>
    raw(target, 'encoding', told, body as string, headers)
  const ways: readonly (() => Hostile)[] = [
    () => say('utf-16', Buffer.from(text, 'utf16le'), { 'content-type': 'application/json; charset=utf-16' }),
    () =>
      say(
        'broken utf-8',
        Buffer.concat([Buffer.from('{"a":"'), Buffer.from([0xff, 0xc0, 0xaf, 0xed, 0xa0, 0x80]), Buffer.from('"}')]),
      ),
    () => say('form', 'a=b&c=d', { 'content-type': 'application/x-www-form-urlencoded' }),
    () =>
      say('multipart', '--x\r\ncontent-disposition: form-data; name="a"\r\n\r\nb\r\n--x--', {
        'content-type': 'multipart/form-data; boundary=x',
      }),
    () =>
      say('xml', '<!DOCTYPE x [<!ENTITY y SYSTEM "file:///etc/passwd">]><x>&y;</x>', {
        'content-type': 'application/xml',
      }),
    () => say('gzip', text, { 'content-encoding': 'gzip' }),
    () => say('deflate twice', text, { 'content-encoding': 'deflate, deflate' }),
    () => say('cut short', text.slice(0, Math.max(1, text.length - 3))),
    () => say('two values', `${text} ${text}`),
    () => say('comment', `/* */ ${text}`),
    () => say('NaN', `[NaN, Infinity, undefined]`),
    () => say('byte order mark', `\ufeff${text},`),
  ]
  return seeded.pick(ways)()
}

function withHeader(seeded: Seeded, { path, body }: Target): Hostile {
  const headers = seeded.pick<Readonly<Record<string, string>>>([
    { 'REQUEST-ID': 'x' },
    { 'REQUEST-ID': '00000000-0000-0000-0000-00000000000' },
    { TIMESTAMP: '9'.repeat(400) },
    { TIMESTAMP: '2026-13-45T99:99:99Z' },
    { 'X-CM-ID': 'x'.repeat(3_000) },
    { 'X-CM-ID': '../' },
    { authorization: 'Basic eDp4' },
    { authorization: `Bearer ${'a.'.repeat(2_000)}` },
    { authorization: 'Bearer ..' },
    { authorization: 'Bearer eyJhbGciOiJub25lIn0.e30.' },
    { 'X-AUTH-TOKEN': '{}' },
    { 'X-HIP-ID': "'" },
    { 'X-HIU-ID': 'x'.repeat(2_000) },
    { cookie: 'amanat=1; amanat=2; '.repeat(100) },
    { cookie: '=;=;;;' },
    { 'x-acting-for': '%00' },
    { 'x-acting-for': 'x'.repeat(2_000) },
    { 'Idempotency-Key': 'x'.repeat(256) },
    { 'x-forwarded-for': '127.0.0.1, ::1' },
    { 'x-http-method-override': 'DELETE' },
    { origin: 'null' },
    { origin: 'http://[' },
    { 'accept-encoding': 'br;q=1, *;q=0' },
    { 'content-type': 'application/json;'.repeat(200) },
    { 'content-type': 'application/fhir+json' },
    { 'if-none-match': '*' },
    { range: 'bytes=0-0' },
    { 'x-step-up': '../x' },
    { dpop: 'a.b.c' },
    { 'accept-language': '*;q=9' },
    { 'last-event-id': '\u00ff' },
  ])
  return { phase: 'header', told: JSON.stringify(headers).slice(0, 60), path, headers, ...bytes(body) }
}
