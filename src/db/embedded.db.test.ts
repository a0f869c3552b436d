import assert from 'node:assert/strict'
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { after, afterEach, before, describe, it } from 'node:test'
import pg from 'pg'
import { temporaryRoot } from '../../test/database.ts'
import { attachEmbedded, type Embedded, startEmbedded } from './embedded.ts'
import { repairPrograms } from './embedded-binaries.ts'
import { EmbeddedFault } from './embedded-fault.ts'
import { thisPlace } from './embedded-lock.ts'
import { isRunning, postgresProcessesIn, signal, waitUntil } from './embedded-process.ts'

const IS_ROOT = process.getuid?.() === 0
const NOBODY = 65534
const silent = () => {}

/** Another Amanat: starts the server of a folder, tells how that went in one line of JSON, stops when its input ends. */
const PROGRAM = `
  import { startEmbedded } from ${JSON.stringify(path.join(import.meta.dirname, 'embedded.ts'))}
  const [folder, arch, ending] = process.argv.slice(1)
  if (arch !== '') Object.defineProperty(process, 'arch', { value: arch })
  try {
    const server = await startEmbedded({ folder, log: () => {}, throwaway: ending === 'throwaway' })
    console.log(JSON.stringify({ url: server.connectionString('postgres') }))
    if (ending === 'exit') process.exit(0)
    process.stdin.resume().on('end', () => server.stop())
  } catch (error) {
    console.log(JSON.stringify({ code: error.code, message: error.message }))
    process.exitCode = 1
  }`

type Said = { url?: string; code?: string; message?: string }
type Other = { child: ChildProcess; said: Said; stop: () => Promise<void> }
type How = { arch?: string; ending?: 'exit' | 'throwaway'; uid?: number; path?: string; prefix?: string[] }

const others: ChildProcess[] = []

async function startOther(folder: string, how: How = {}): Promise<Other> {
  const node = [process.execPath, '--input-type=module', '-e', PROGRAM, folder, how.arch ?? '', how.ending ?? '']
  const [command = '', ...args] = [...(how.prefix ?? []), ...node]
  const user = how.uid === undefined ? {} : { uid: how.uid, gid: how.uid }
  const env = { ...process.env, ...(how.path === undefined ? {} : { PATH: how.path, TMPDIR: path.dirname(how.path) }) }
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'], cwd: '/', env, ...user })
  others.push(child)
  const exited = once(child, 'exit')
  const [line] = (await Promise.race([once(createInterface(child.stdout), 'line'), exited])) as [unknown]
  assert.equal(typeof line, 'string', `the other process ended with ${String(line)} and said nothing`)
  const stop = async () => {
    child.stdin.end()
    await exited
  }
  return { child, said: JSON.parse(String(line)) as Said, stop }
}

async function query(url: string | undefined, text: string): Promise<Record<string, unknown>[]> {
  assert.ok(url !== undefined)
  const client = new pg.Client({ connectionString: url })
  client.on('error', silent)
  await client.connect()
  try {
    return (await client.query<Record<string, unknown>>(text)).rows
  } finally {
    await client.end()
  }
}

function postmasterOf(folder: string): number {
  return Number(fs.readFileSync(path.join(folder, 'cluster', 'postmaster.pid'), 'utf8').split('\n')[0])
}

async function faultOf(work: Promise<unknown>): Promise<EmbeddedFault> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  assert.ok(error instanceof EmbeddedFault, `expected an EmbeddedFault, got ${String(error)}`)
  return error
}

describe('the embedded PostgreSQL', () => {
  let root: string
  let folder: string
  const running: Embedded[] = []
  const start = async (where = folder) => {
    const server = await startEmbedded({ folder: where, log: silent })
    running.push(server)
    return server
  }

  before(() => {
    root = fs.mkdtempSync(path.join(temporaryRoot(), 'amanat-embedded-'))
    fs.chmodSync(root, 0o755)
    folder = path.join(root, 'main')
  })
  afterEach(async () => {
    for (const server of running.splice(0)) await server.stop()
    for (const child of others.splice(0)) if (child.exitCode === null) child.kill('SIGKILL')
  })
  after(() => fs.rmSync(root, { recursive: true, force: true }))

  it('makes its cluster, private and durable, on a short unix socket only, in a process group of its own', async () => {
    const server = await start()
    const url = server.connectionString('postgres')
    assert.deepEqual(
      await query(
        url,
        `select current_setting('fsync') f, current_setting('listen_addresses') l, current_setting('data_checksums') c`,
      ),
      [{ f: 'on', l: '', c: 'on' }],
    )
    assert.equal(fs.statSync(path.join(folder, 'password')).mode & 0o777, 0o600)
    assert.equal(fs.statSync(server.host).mode & 0o777, 0o700)
    assert.ok(Buffer.byteLength(`${server.host}/.s.PGSQL.5432.lock`) < 107)
    const groupOf = (pid: number) => fs.readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ')[2]
    assert.notEqual(groupOf(postmasterOf(folder)), groupOf(process.pid))
    await query(url, 'create table kept (n integer)')
    await server.createDatabase('one')
    await query(server.connectionString('one'), 'create table in_one ()')
    await server.createDatabase('two', 'one')
    assert.equal((await query(server.connectionString('two'), 'select * from in_one')).length, 0)
    assert.equal(await server.databaseExists('two'), true)
    await server.dropDatabase('two')
    assert.equal(await server.databaseExists('two'), false)
    assert.equal(attachEmbedded(folder)?.connectionString('one'), server.connectionString('one'))
    await server.stop()
    await server.stop()
    assert.equal(attachEmbedded(folder), undefined)
    assert.equal(fs.existsSync(server.host), false)
  })

  it('starts again with the same data after kill -9 of the program, whose server runs on', async () => {
    const other = await startOther(folder)
    await query(other.said.url, 'insert into kept values (1)')
    const orphan = postmasterOf(folder)
    other.child.kill('SIGKILL')
    await once(other.child, 'exit')
    assert.equal(isRunning(orphan), true)
    const lines: string[] = []
    const server = await startEmbedded({ folder, log: (line) => lines.push(line) })
    running.push(server)
    assert.equal(isRunning(orphan), false)
    assert.match(lines.join(), /earlier run left behind/)
    assert.deepEqual(await query(server.connectionString('postgres'), 'select n from kept'), [{ n: 1 }])
  })

  it('says that the server died, and starts again after kill -9 of the postmaster', async () => {
    const server = await start()
    const url = server.connectionString('postgres')
    await query(url, 'insert into kept values (2)')
    const holding = new pg.Client({ connectionString: url })
    holding.on('error', silent)
    await holding.connect()
    const busy = holding.query('select pg_sleep(60)').catch(silent)
    signal(postmasterOf(folder), 'SIGKILL')
    assert.equal((await server.died).code, 'server_died')
    await server.stop()
    const again = await start()
    assert.deepEqual(await query(again.connectionString('postgres'), 'select n from kept order by n'), [
      { n: 1 },
      { n: 2 },
    ])
    await busy
    await holding.end().catch(silent)
  })

  it('survives a lock and a postmaster.pid whose numbers now belong to innocent processes', async () => {
    const place = thisPlace()
    for (const lock of [JSON.stringify({ pid: process.pid, startTicks: '1', place }), '{"pid":']) {
      fs.writeFileSync(path.join(folder, 'amanat.lock'), lock)
      fs.writeFileSync(
        path.join(folder, 'cluster', 'postmaster.pid'),
        `${process.ppid}\n${folder}/cluster\n1\n5432\n/tmp\n\n\nready\n`,
      )
      const server = await start()
      assert.equal((await query(server.connectionString('postgres'), 'select 1 as one')).length, 1)
      await server.stop()
      assert.equal(isRunning(process.ppid), true)
    }
  })

  it('refuses a second Amanat on the same folder, in this process and in another, and lets it in afterwards', async () => {
    const other = await startOther(folder)
    const fault = await faultOf(start())
    assert.equal(fault.code, 'folder_in_use')
    assert.match(fault.message, new RegExp(`process ${other.child.pid}.*AMANAT_DATA`))
    await other.stop()
    await start()
    assert.match((await faultOf(start())).message, /this very process/)
  })

  it('believes a lock from another container or an earlier boot only while somebody touches it', async () => {
    const file = path.join(folder, 'amanat.lock')
    fs.writeFileSync(file, JSON.stringify({ pid: 1, startTicks: '1', place: 'another container' }))
    // Somebody else: who touches it here would rest whenever we do.
    const heart = spawn('sh', ['-c', 'while chmod 600 "$0"; do sleep 0.2; done', file])
    others.push(heart)
    const stopped = once(heart, 'exit')
    try {
      assert.equal((await faultOf(start())).code, 'folder_in_use')
    } finally {
      heart.kill('SIGKILL')
      await stopped
    }
    await start()
    const touched = fs.statSync(file).ctimeMs
    assert.ok(await waitUntil(() => fs.statSync(file).ctimeMs !== touched, 20_000), 'our own lock is touched')
  })

  it('lets only one of many that start at once have the folder', async () => {
    fs.writeFileSync(
      path.join(folder, 'amanat.lock'),
      JSON.stringify({ pid: process.pid, startTicks: '0', place: thisPlace() }),
    )
    const all = await Promise.all(Array.from({ length: 4 }, () => startOther(folder)))
    assert.deepEqual(
      all.map(({ said }) => said.code ?? 'started').toSorted((a, b) => a.localeCompare(b)),
      ['folder_in_use', 'folder_in_use', 'folder_in_use', 'started'],
    )
    await Promise.all(all.map((other) => other.stop()))
  })

  it('does not outlive a program that ends without stopping it', async () => {
    const other = await startOther(folder, { ending: 'exit' })
    assert.ok(other.said.url !== undefined)
    assert.ok(await waitUntil(() => postgresProcessesIn(path.join(folder, 'cluster')).length === 0, 30_000))
    assert.equal(fs.existsSync(path.join(folder, 'amanat.lock')), false)
  })

  it('begins anew where making the cluster was cut short', async () => {
    const half = path.join(root, 'half')
    fs.mkdirSync(path.join(half, 'cluster.new', 'data', 'base'), { recursive: true })
    fs.writeFileSync(path.join(half, 'cluster.new', 'data', 'PG_VERSION'), '18\n')
    fs.writeFileSync(path.join(half, 'password'), 'of the first attempt')
    const other = await startOther(half, { ending: 'throwaway' })
    assert.equal((await query(other.said.url, 'select 1 as one')).length, 1)
    await other.stop()
  })

  it('says what is wrong with a folder that cannot be used', async () => {
    const file = path.join(root, 'file')
    fs.writeFileSync(file, '')
    assert.equal((await faultOf(start(file))).code, 'folder_not_directory')
    assert.equal((await faultOf(start(path.join(file, 'below')))).code, 'folder_not_directory')

    const version = path.join(folder, 'cluster', 'PG_VERSION')
    fs.writeFileSync(version, '15\n')
    const old = await faultOf(start())
    assert.equal(old.code, 'cluster_version')
    assert.match(old.message, /PostgreSQL 15.*PostgreSQL 18/)
    fs.writeFileSync(version, '18\n')

    fs.renameSync(path.join(folder, 'password'), path.join(folder, 'aside'))
    assert.equal((await faultOf(start())).code, 'password_lost')
    fs.renameSync(path.join(folder, 'aside'), path.join(folder, 'password'))

    const closed = path.join(root, 'closed')
    fs.mkdirSync(closed, { mode: 0o500 })
    const { said } = await startOther(path.join(closed, 'data'), IS_ROOT ? { uid: NOBODY } : {})
    assert.equal(said.code, 'folder_not_writable')
    assert.match(said.message ?? '', /AMANAT_DATA/)

    const broken = path.join(folder, 'cluster', 'postgresql.conf')
    const before = fs.readFileSync(broken)
    fs.writeFileSync(broken, 'no_such_setting = 1\n')
    const refused = await faultOf(start())
    assert.equal(refused.code, 'start_failed')
    assert.match(refused.message, /no_such_setting/)
    fs.writeFileSync(broken, before)
    await start() // a fault gives the lock back
  })

  it('says that this platform has no embedded PostgreSQL, and what to do', async () => {
    const { said } = await startOther(path.join(root, 'platform'), { arch: 'mips' })
    assert.equal(said.code, 'platform_unsupported')
    assert.match(said.message ?? '', /linux-mips.*DATABASE_URL/)
  })

  it('says that the disk is full', async (t) => {
    const small = path.join(root, 'small')
    fs.mkdirSync(small)
    const mount = 'mount -t tmpfs -o size=12m none "$0" && exec "$@"'
    const unshare = ['--user', '--map-root-user', '--mount', 'sh', '-c', mount, small]
    if (spawnSync('unshare', [...unshare, 'true']).status !== 0) return t.skip('this machine allows no private mounts')
    const { said } = await startOther(path.join(small, 'data'), { prefix: ['unshare', ...unshare] })
    assert.equal(said.code, 'disk_full')
    assert.match(said.message ?? '', /room/)
  })

  it('works as an ordinary user', async (t) => {
    if (!IS_ROOT) return t.skip('all other tests run as an ordinary user here')
    const own = path.join(root, 'ordinary')
    fs.mkdirSync(own)
    fs.chownSync(own, NOBODY, NOBODY)
    const other = await startOther(own, { uid: NOBODY, ending: 'throwaway' })
    assert.equal((await query(other.said.url, 'select 1 as one')).length, 1, JSON.stringify(other.said))
    await other.stop()
  })

  it('works as root where user namespaces are refused, and takes the folder back where they are not', async (t) => {
    if (!IS_ROOT) return t.skip('only root needs a user namespace')
    const programs = path.join(root, 'programs') // a PATH without unshare
    fs.mkdirSync(programs)
    const shared = path.join(root, 'fallback')
    const other = await startOther(shared, { path: programs, ending: 'throwaway' })
    assert.equal(other.said.code, undefined, other.said.message)
    await query(other.said.url, 'create table kept (n integer)')
    assert.equal(fs.statSync(`/proc/${postmasterOf(shared)}`).uid, NOBODY)
    await other.stop()
    const server = await start(shared)
    assert.deepEqual(await query(server.connectionString('postgres'), 'select n from kept'), [])
    await server.stop()

    const hidden = path.join(root, 'hidden')
    fs.mkdirSync(hidden, { mode: 0o700 })
    const { said } = await startOther(path.join(hidden, 'data'), { path: programs })
    assert.equal(said.code, 'folder_not_reachable')
    assert.match(said.message ?? '', /hidden/)
  })

  it('repairs links and modes that skipped install scripts left undone', async () => {
    const native = path.join(root, 'package', 'native')
    for (const name of ['bin', 'lib']) fs.mkdirSync(path.join(native, name), { recursive: true })
    for (const name of ['postgres', 'initdb', 'pg_ctl'])
      fs.writeFileSync(path.join(native, 'bin', name), '', { mode: 0o644 })
    fs.writeFileSync(path.join(native, 'lib', 'libx.so.60.2'), 'library')
    fs.symlinkSync('libx.so.59', path.join(native, 'lib', 'libx.so')) // dangling
    const links = ['libx.so', 'libx.so.60'].map((name) => ({
      source: 'native/lib/libx.so.60.2',
      target: `native/lib/${name}`,
    }))
    fs.writeFileSync(path.join(native, 'pg-symlinks.json'), JSON.stringify(links))
    assert.equal(repairPrograms(native), native)
    assert.equal(fs.readFileSync(path.join(native, 'lib', 'libx.so'), 'utf8'), 'library')
    assert.equal(fs.readFileSync(path.join(native, 'lib', 'libx.so.60'), 'utf8'), 'library')
    assert.equal(fs.statSync(path.join(native, 'bin', 'postgres')).mode & 0o111, 0o111)
    fs.rmSync(path.join(native, 'bin', 'initdb'))
    assert.throws(() => repairPrograms(native), { code: 'binaries_incomplete', message: /npm ci/ })
  })
})
