import type { Duplex } from 'node:stream'
import { PassThrough, type Readable } from 'node:stream'
import pg from 'pg'
import { messageOf } from '../db/embedded-fault.ts'
import { formatLsn, type Lsn, parseLsn } from './lsn.ts'
import { RecoveryFault } from './recovery-fault.ts'

/** What of PostgreSQL's replication protocol (PostgreSQL 15+, chapter "Streaming Replication Protocol") a backup needs. */

const CONNECT_TIMEOUT_MS = 10_000
const STANDBY_LIMITS = [
  'max_connections',
  'max_worker_processes',
  'max_wal_senders',
  'max_prepared_transactions',
  'max_locks_per_transaction',
]
const HAS_PLACE_ALREADY = '42710'

/** The parts of `pg`'s connection that its types leave out. */
type CopyConnection = {
  readonly stream: Duplex
  query(text: string): void
  sendCopyFromChunk(chunk: Buffer): void
  endCopyFrom(): void
}
type Row = Readonly<Record<string, string | null>>

/** One command of the protocol: gives its rows, and its copied bytes as they come. */
class Command {
  readonly rows: Row[] = []
  readonly done: Promise<readonly Row[]>
  connection: CopyConnection | undefined
  readonly #text: string
  readonly #onCopy: (chunk: Buffer, connection: CopyConnection) => void
  #fields: readonly string[] = []
  #resolve: (rows: readonly Row[]) => void = () => {}
  #reject: (error: Error) => void = () => {}

  constructor(text: string, onCopy: (chunk: Buffer, connection: CopyConnection) => void = () => {}) {
    this.#text = text
    this.#onCopy = onCopy
    this.done = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
  }

  submit(connection: unknown): void {
    this.connection = connection as CopyConnection
    this.connection.query(this.#text)
  }

  handleRowDescription({ fields }: { fields: readonly { name: string }[] }): void {
    this.#fields = fields.map(({ name }) => name)
  }

  handleDataRow({ fields }: { fields: readonly (string | null)[] }): void {
    this.rows.push(Object.fromEntries(this.#fields.map((name, i) => [name, fields[i] ?? null])))
  }

  /** The chunk lies in a buffer that the next message overwrites: what is kept must be copied. */
  handleCopyData({ chunk }: { chunk: Buffer }, connection: unknown): void {
    this.#onCopy(chunk, connection as CopyConnection)
  }

  handleReadyForQuery(): void {
    this.#resolve(this.rows)
  }

  handleError(error: Error): void {
    this.#reject(error)
  }

  handleCommandComplete(): void {}
  handleEmptyQuery(): void {}
  handlePortalSuspended(): void {}
  handleCopyInResponse(): void {}
}

/** A connection that speaks the replication protocol. */
export type Replication = {
  readonly client: pg.Client
  readonly systemId: string
  readonly timeline: number
  readonly flushed: Lsn
  readonly segmentBytes: number
  readonly serverVersion: number
  /** Settings that a recovering server must not have lower ("Administrator's Overview" of hot standby). */
  readonly limits: Readonly<Record<string, string>>
  readonly close: () => Promise<void>
}

/**
 * Opens a replication connection to the server of `url` and asks who it is.
 * @throws RecoveryFault `server_refused`
 */
export async function openReplication(url: string): Promise<Replication> {
  const address = new URL(url)
  address.searchParams.set('replication', 'true')
  const client = new pg.Client({
    connectionString: address.href,
    application_name: 'amanat backup',
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
  })
  client.on('error', () => {}) // a lost connection rejects the running command too
  try {
    await client.connect()
    const [system] = await run(client, 'IDENTIFY_SYSTEM')
    const [segment] = await run(client, 'SHOW wal_segment_size')
    const [version] = await run(client, 'SHOW server_version_num')
    const limits: Record<string, string> = {}
    for (const name of STANDBY_LIMITS) limits[name] = String((await run(client, `SHOW ${name}`))[0]?.[name])
    return {
      client,
      systemId: String(system?.['systemid']),
      timeline: Number(system?.['timeline']),
      flushed: parseLsn(String(system?.['xlogpos'])),
      segmentBytes: parseBytes(String(segment?.['wal_segment_size'])),
      serverVersion: Number(version?.['server_version_num']),
      limits,
      close: () => client.end(),
    }
  } catch (error) {
    await client.end().catch(() => {})
    throw refused(error)
  }
}

function refused(error: unknown): RecoveryFault {
  return new RecoveryFault(
    'server_refused',
    `The database server does not let us take a backup: ${messageOf(error)}. The user needs REPLICATION (alter role … replication) and a line "host replication …" in pg_hba.conf; wal_level must be replica or more, max_wal_senders at least 3.`,
    { cause: error },
  )
}

async function run(client: pg.Client, text: string): Promise<readonly Row[]> {
  return client.query(new Command(text)).done
}

function parseBytes(text: string): number {
  const [, digits, unit] = /^(\d+)(B|kB|MB|GB)$/.exec(text) ?? []
  const factor = { B: 1, kB: 1024, MB: 1024 ** 2, GB: 1024 ** 3 }[unit ?? '']
  if (digits === undefined || factor === undefined) throw new TypeError(`${text} is no size`)
  return Number(digits) * factor
}

/** Makes the slot that keeps WAL at the server until we have it; answers where it begins. One that is there is kept. */
export async function openSlot({ client }: Replication, name: string): Promise<Lsn> {
  try {
    await run(client, `CREATE_REPLICATION_SLOT ${pg.escapeIdentifier(name)} PHYSICAL RESERVE_WAL`)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === HAS_PLACE_ALREADY)) throw refused(error)
  }
  const [slot] = await run(client, `READ_REPLICATION_SLOT ${pg.escapeIdentifier(name)}`)
  const start = slot?.['restart_lsn']
  if (start === undefined || start === null)
    throw new RecoveryFault(
      'wal_missing',
      `The server gave up the WAL of the slot ${name} (max_slot_wal_keep_size). Drop it (select pg_drop_replication_slot('${name}')) and take a new backup.`,
    )
  return parseLsn(start)
}

/** What the server said of a base backup: where its WAL begins and ends. */
export type BaseBackup = { readonly start: Lsn; readonly end: Lsn; readonly timeline: number }

/**
 * Takes a base backup of the whole server. `keep` is given every archive (`base.tar`) and the manifest of PostgreSQL (`backup_manifest`)
 * as a stream; it is awaited before this returns.
 * @throws RecoveryFault `server_refused`
 */
export async function baseBackup(
  { client }: Replication,
  keep: (name: string, content: Readable) => Promise<void>,
): Promise<BaseBackup> {
  const kept: Promise<void>[] = []
  let current: PassThrough | undefined
  let fault: Error | undefined
  const open = (name: string): void => {
    current?.end()
    const content = new PassThrough({ highWaterMark: 1024 * 1024 })
    content.on('drain', () => command.connection?.stream.resume())
    kept.push(
      keep(name, content).catch((error: unknown) => {
        fault ??= error instanceof Error ? error : new Error(String(error))
        // It may wait for a reader that is gone: nothing but an end of the connection wakes it.
        command.connection?.stream.destroy(fault)
      }),
    )
    current = content
  }
  const onCopy = (chunk: Buffer, { stream }: CopyConnection): void => {
    const kind = String.fromCharCode(chunk[0] ?? 0)
    const body = chunk.subarray(1)
    if (kind === 'n') {
      const [name = '', tablespace = ''] = body.toString('utf8').split('\0')
      if (tablespace !== '')
        fault ??= new RecoveryFault(
          'server_refused',
          `The server keeps data in a tablespace of its own (${tablespace}), which Amanat does not back up.`,
        )
      open(name)
    }
    if (kind === 'm') open('backup_manifest')
    if (fault !== undefined) stream.destroy(fault)
    else if (kind === 'd' && current !== undefined && !current.write(Buffer.from(body))) stream.pause()
  }
  const command = new Command(
    `BASE_BACKUP (LABEL 'amanat', CHECKPOINT 'fast', WAL false, WAIT false, MANIFEST 'yes')`,
    onCopy,
  )
  client.query(command)
  try {
    const rows = await command.done
    current?.end()
    await Promise.all(kept)
    if (fault !== undefined) throw fault
    const places = rows.filter((row) => row['recptr'] !== undefined)
    const [first, last] = [places[0], places.at(-1)]
    return {
      start: parseLsn(String(first?.['recptr'])),
      end: parseLsn(String(last?.['recptr'])),
      timeline: Number(first?.['tli']),
    }
  } catch (error) {
    current?.destroy(error instanceof Error ? error : new Error(String(error)))
    await Promise.allSettled(kept)
    if (error instanceof RecoveryFault) throw error
    throw fault ?? refused(error)
  }
}

/** The server's clock, and how far its WAL was safe on its disk just after: what was acknowledged before `at` lies before `flushed`. */
export type Probe = { readonly at: Date; readonly flushed: Lsn }

/** Opens a connection of its own that asks the server for {@link Probe}s. */
export async function openProbe(
  url: string,
): Promise<{ readonly look: () => Promise<Probe>; readonly close: () => Promise<void> }> {
  const client = new pg.Client({
    connectionString: url,
    application_name: 'amanat backup',
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
  })
  client.on('error', () => {}) // a lost connection rejects the running query too
  await client.connect()
  const look = async (): Promise<Probe> => {
    const clock = await client.query<{ at: Date }>('select clock_timestamp() as at')
    const wal = await client.query<{ lsn: string }>('select pg_current_wal_flush_lsn()::text as lsn')
    return { at: clock.rows[0]?.at ?? new Date(0), flushed: parseLsn(String(wal.rows[0]?.lsn)) }
  }
  return { look, close: () => client.end() }
}

/** WAL as it came: bytes from `start` on. */
export type WalPart = { readonly start: Lsn; readonly bytes: Buffer }

/** First bytes of messages in the stream: `w`, `k`. */
const WAL_DATA = 0x77
const KEEPALIVE = 0x6b
const WAL_DATA_HEADER_BYTES = 25
const PAUSE_AT_BYTES = 64 * 1024 * 1024
const PG_EPOCH_MS = Date.UTC(2000, 0, 1)

/** The server's WAL from `from` on, gathered until it is taken. */
export class WalStream {
  /** Ends when the server or {@link finish} ended the stream. */
  readonly ended: Promise<void>
  readonly #command: Command
  readonly #onNews: () => void
  #parts: Buffer[] = []
  #bytes = 0
  #next: Lsn
  #confirmed: Lsn

  constructor(
    { client, timeline }: Replication,
    { slot, from, onNews }: { readonly slot: string; readonly from: Lsn; readonly onNews: () => void },
  ) {
    this.#next = from
    this.#confirmed = from
    this.#onNews = onNews
    this.#command = new Command(
      `START_REPLICATION SLOT ${pg.escapeIdentifier(slot)} PHYSICAL ${formatLsn(from)} TIMELINE ${timeline}`,
      (chunk, connection) => this.#take(chunk, connection),
    )
    this.ended = this.#command.done.then(() => undefined)
    client.query(this.#command)
  }

  get gatheredBytes(): number {
    return this.#bytes
  }

  /** Where the WAL that came so far ends. */
  get received(): Lsn {
    return this.#next
  }

  /** Takes what was gathered; undefined when there is nothing. */
  take(): WalPart | undefined {
    if (this.#bytes === 0) return undefined
    const bytes = Buffer.concat(this.#parts)
    const part = { start: this.#next - BigInt(bytes.length), bytes }
    this.#parts = []
    this.#bytes = 0
    this.#command.connection?.stream.resume()
    return part
  }

  /** Tells the server that everything up to `lsn` is safe with us: it need not keep it. */
  confirm(lsn: Lsn, now: Date): void {
    this.#confirmed = lsn
    const message = Buffer.alloc(34)
    message.write('r', 0, 'latin1')
    for (const at of [1, 9, 17]) message.writeBigUInt64BE(lsn, at)
    message.writeBigInt64BE(BigInt(now.getTime() - PG_EPOCH_MS) * 1000n, 25)
    this.#command.connection?.sendCopyFromChunk(message)
  }

  finish(): void {
    this.#command.connection?.endCopyFrom()
  }

  #take(chunk: Buffer, { stream }: CopyConnection): void {
    if (chunk[0] === WAL_DATA) {
      const start = chunk.readBigUInt64BE(1)
      if (start !== this.#next)
        stream.destroy(new Error(`WAL came from ${formatLsn(start)}, expected ${formatLsn(this.#next)}`))
      const data = Buffer.from(chunk.subarray(WAL_DATA_HEADER_BYTES))
      this.#parts.push(data)
      this.#bytes += data.length
      this.#next += BigInt(data.length)
      if (this.#bytes > PAUSE_AT_BYTES) stream.pause()
    } else if (chunk[0] === KEEPALIVE && chunk[17] === 1) {
      this.confirm(this.#confirmed, new Date(PG_EPOCH_MS + Number(chunk.readBigInt64BE(9) / 1000n)))
    }
    this.#onNews()
  }
}
