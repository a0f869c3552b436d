import assert from 'node:assert/strict'
import { test } from 'node:test'
import Fastify, { type FastifyInstance } from 'fastify'
import { type Fault, type FaultInput, makeFaults } from './faults.ts'
import type { Route } from './route.ts'

const AT = new Date('2026-11-22T06:30:00.000Z')
const row = (method: Route['method'], path: string, auth: Route['auth'], more: Partial<Route> = {}): Route => ({
  method,
  path,
  summary: '',
  dialect: path.startsWith('/api/') ? 'abdm' : 'native',
  auth,
  once: false,
  answers: {},
  handle: async () => ({ status: 200 }),
  ...more,
})
const ROUTES = [
  row('POST', '/api/x/init', 'bridge'),
  row('POST', '/api/data/:token', 'none', { secretPath: true }),
  row('POST', '/v1/accesses', 'partner'),
  row('GET', '/v1/jobs', 'operator'),
  row('GET', '/v1/me', 'patient'),
  row('GET', '/v1/desk/today', 'staff'),
  row('GET', '/v1/console/flow', 'console'),
]

type World = { readonly app: FastifyInstance; readonly handled: string[]; now: Date } & ReturnType<typeof makeFaults>

async function open(): Promise<World> {
  const app = Fastify()
  const faults = makeFaults()
  const world = { app, handled: [] as string[], now: AT, ...faults }
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
  faults.attach(app, ROUTES, () => world.now)
  for (const { method, path } of ROUTES)
    app.route({
      method,
      url: path,
      handler: async (request) => {
        world.handled.push(Buffer.isBuffer(request.body) ? request.body.toString('utf8') : path)
        return { ok: true }
      },
    })
  app.get('/health/ready', async () => ({ status: 'ready' }))
  await app.listen({ port: 0, host: '127.0.0.1' })
  return world
}

const strikeBy = (world: World, part: Partial<FaultInput> & Pick<FaultInput, 'kind'>, id = part.kind): Fault =>
  world.add(id, { until: new Date(AT.getTime() + 60_000), delayMs: 20, status: 503, ...part })

/** The status, or `reset`. */
async function send(world: World, method: string, path: string, body?: string): Promise<number | 'reset'> {
  const { port } = world.app.server.address() as { port: number }
  try {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`, {
      method,
      ...(body === undefined ? {} : { body, headers: { 'content-type': 'application/json' } }),
    })
    await answer.text()
    return answer.status
  } catch {
    return 'reset'
  }
}

test('down resets the line and hides how the party is; error answers without acting; both only between parties', async () => {
  const world = await open()
  strikeBy(world, { kind: 'down' })
  assert.equal(await send(world, 'POST', '/api/x/init', '{}'), 'reset')
  assert.equal(await send(world, 'POST', '/v1/accesses', '{}'), 'reset')
  assert.equal(await send(world, 'GET', '/health/ready'), 'reset')
  assert.equal(world.mend(), 1)
  strikeBy(world, { kind: 'error', status: 500 })
  assert.equal(await send(world, 'POST', '/api/x/init', '{}'), 500)
  assert.deepEqual(world.handled, [])
  for (const path of ['/v1/jobs', '/v1/me', '/v1/desk/today', '/v1/console/flow', '/health/ready'])
    assert.equal(await send(world, 'GET', path), 200, path)
  await world.app.close()
})

test('garbage acts and answers rubbish; slow acts late, also for one who stopped waiting', async () => {
  const world = await open()
  strikeBy(world, { kind: 'garbage', times: 1 })
  assert.equal(await send(world, 'POST', '/api/x/init', '{"n":1}'), 502)
  strikeBy(world, { kind: 'slow', times: 1, delayMs: 60 })
  const startedMs = performance.now()
  assert.equal(await send(world, 'POST', '/api/x/init', '{"n":2}'), 200)
  assert.ok(performance.now() - startedMs >= 55)
  assert.deepEqual(world.handled, ['{"n":1}', '{"n":2}'])
  assert.deepEqual(world.list(AT), [], 'both were for one message')
  await world.app.close()
})

test('a server that closes does not wait for the slow', async () => {
  const world = await open()
  strikeBy(world, { kind: 'slow', delayMs: 30_000 })
  const waiting = send(world, 'POST', '/api/x/init', '{}')
  while (world.list(AT)[0]?.struck !== 1) await new Promise((resolve) => setTimeout(resolve, 5))
  await world.app.close()
  assert.equal(await waiting, 'reset')
  assert.deepEqual(world.handled, [])
})

test('damage changes pushed documents and nothing else', async () => {
  const world = await open()
  strikeBy(world, { kind: 'damage' })
  const page = JSON.stringify({ entries: [{ content: 'AAAAAAAAAAAA', media: 'x' }, { content: 'BBBBBBBBBBBB' }] })
  assert.equal(await send(world, 'POST', '/api/data/secret', page), 200)
  assert.equal(await send(world, 'POST', '/api/data/secret', '{"entries":[]}'), 200)
  assert.equal(await send(world, 'POST', '/api/x/init', page), 200)
  assert.deepEqual(world.handled, [
    page.replace('AAAAAAAAAAAA', 'AAAAAAAABAAA').replace('BBBBBBBBBBBB', 'BBBBBBBBABBB'),
    '{"entries":[]}',
    page,
  ])
  assert.equal(world.list(AT)[0]?.struck, 1, 'only what it really changed is counted')
  await world.app.close()
})

test('a fault ends at its time, after its number, by its path, when it is mended', async () => {
  const world = await open()
  strikeBy(world, { kind: 'error', times: 2 })
  const statuses = [1, 2, 3].map(() => send(world, 'POST', '/api/x/init', '{}'))
  assert.deepEqual(
    (await Promise.all(statuses)).toSorted((a, b) => Number(a) - Number(b)),
    [200, 503, 503],
  )
  strikeBy(world, { kind: 'error', path: '/other/*/init' })
  assert.equal(await send(world, 'POST', '/api/x/init', '{}'), 200)
  strikeBy(world, { kind: 'error', path: '/api/*/in' }, 'mine' as 'error')
  assert.equal(await send(world, 'POST', '/api/x/init', '{}'), 503)
  assert.equal(world.mend('mine'), 1)
  assert.equal(world.mend('mine'), 0)
  assert.equal(await send(world, 'POST', '/api/x/init', '{}'), 200)
  strikeBy(world, { kind: 'error', path: '(a|b' })
  assert.equal(await send(world, 'POST', '/api/x/init', '{}'), 200, 'a pattern is text, not an expression')
  world.mend()
  strikeBy(world, { kind: 'error' })
  world.now = new Date(AT.getTime() + 60_000)
  assert.equal(await send(world, 'POST', '/api/x/init', '{}'), 200)
  assert.deepEqual(world.list(world.now), [])
  await world.app.close()
})
