import pg from 'pg'

/** Every table of a database, with all its rows as one text. */
export type Dump = ReadonlyMap<string, string>

type Run = (text: string) => Promise<{ readonly rows: readonly Record<string, unknown>[] }>

/** What an administrator of the database reads in it, or a thief of its disk. */
export async function dumpDatabase(connectionString: string): Promise<Dump> {
  const client = new pg.Client({ connectionString })
  await client.connect()
  try {
    return await dumpTables((text) => client.query<Record<string, unknown>>(text))
  } finally {
    await client.end()
  }
}

/** Every row of every table, whole, as `run` reads it. */
export async function dumpTables(run: Run): Promise<Dump> {
  const { rows: tables } = await run(`
    select table_name as name from information_schema.tables where table_schema = 'public' and table_type = 'BASE TABLE'`)
  const dump = new Map<string, string>()
  for (const { name } of tables) {
    const { rows } = await run(`/* all buckets: a dump */ select * from "${String(name)}"`)
    dump.set(String(name), rows.flatMap((row) => Object.values(row).map(textOf)).join('\n'))
  }
  return dump
}

function textOf(value: unknown): string {
  if (Buffer.isBuffer(value)) return value.toString('latin1')
  return typeof value === 'string' ? value : JSON.stringify(value)
}

/** Random, so that a marker which is a short number stands in one of many thousands by chance. */
const ID = /\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/g

/** Which tables hold the marker: as it is in any case, in hexadecimal, or as base64 at any of its three places. */
export function tablesWith(dump: Dump, marker: string): readonly string[] {
  const needles = [marker, Buffer.from(marker).toString('hex')].map((needle) => needle.toLowerCase())
  const base64 = [0, 1, 2].map((shift) => base64At(marker, shift))
  const isNumber = /^\d+$/.test(marker)
  return [...dump].flatMap(([table, text]) => {
    const lower = isNumber ? text.toLowerCase().replaceAll(ID, '<id>') : text.toLowerCase()
    const holds = needles.some((needle) => lower.includes(needle)) || base64.some((needle) => text.includes(needle))
    return holds ? [table] : []
  })
}

/** The part of the base64 of the marker that does not depend on what stands before and after it. */
function base64At(marker: string, shift: number): string {
  const padded = Buffer.concat([Buffer.alloc(shift), Buffer.from(marker)])
  const whole = padded.toString('base64').replace(/=+$/, '')
  return whole.slice(shift === 0 ? 0 : shift + 1, Math.floor((padded.length * 8) / 6) - 1)
}
