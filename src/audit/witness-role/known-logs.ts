import { existsSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parsePolicy } from '../../crypto/log-policy.ts'
import { isRefusal } from '../../kernel/refusal.ts'
import { WitnessFault } from './state-file.ts'

const FILE = 'logs.txt'
const HEAD =
  '# Logs that this witness cosigns, a line each: log <vkey>. Lines may be added while it runs (amanat witness --add-log VKEY).\n'

/** The logs that a witness knows; the file is read again when it changed. */
export type KnownLogs = { readonly vkeyOf: (origin: string) => string | undefined; readonly count: () => number }

/** Opens `logs.txt` of a witness's folder, made with its head alone where there is none. Throws a fault for a file that is wrong. */
export function openKnownLogs(folder: string): KnownLogs {
  const path = join(folder, FILE)
  if (!existsSync(path)) writeFileSync(path, HEAD, { mode: 0o600 })
  let read = ''
  let logs = new Map<string, string>()
  const refresh = (): void => {
    // Clocks of file systems tick slowly: the time alone does not tell a file from the one that replaced it.
    const { ino, size, mtimeMs } = statSync(path)
    const now = `${ino} ${size} ${mtimeMs}`
    if (now === read) return
    logs = readLogs(path)
    read = now
  }
  refresh()
  return {
    vkeyOf: (origin) => {
      if (!logs.has(origin)) refresh()
      return logs.get(origin)
    },
    count: () => logs.size,
  }
}

/** Adds a log to the file of a witness that runs or not. Throws a fault for a key that is none, or another key of a known log. */
export function addLog(folder: string, vkey: string): void {
  const path = join(folder, FILE)
  const before = existsSync(path) ? readFileSync(path, 'utf8') : HEAD
  const after = `${before.replace(/\n?$/, '\n')}log ${vkey}\n`
  parseLogs(after, path)
  writeFileSync(`${path}.new`, after, { mode: 0o600 })
  renameSync(`${path}.new`, path)
}

function readLogs(path: string): Map<string, string> {
  return parseLogs(readFileSync(path, 'utf8'), path)
}

/** The lines are those of a policy (C2SP tlog-policy) that asks for nothing. */
function parseLogs(text: string, path: string): Map<string, string> {
  const policy = parsePolicy(`${text.replace(/\n?$/, '\n')}quorum none\n`)
  if (isRefusal(policy)) throw new WitnessFault(`${path}: ${policy.detail}`)
  return new Map(policy.logs.map(({ origin, vkey }) => [origin, vkey]))
}
