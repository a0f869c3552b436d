import { readFile, stat } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import type { SignedCheckpoint } from '../crypto/checkpoint.ts'
import { verifierOf } from '../crypto/cosignature.ts'
import { describeQuorum, judgeCheckpoint, type LogPolicy, parsePolicy } from '../crypto/log-policy.ts'
import type { Verifier } from '../crypto/signed-note.ts'
import { isRefusal, type Refusal } from '../kernel/refusal.ts'
import { folderSource, httpSource } from './log-source.ts'
import { readStampFile } from './timestamp/file.ts'
import { readRoots } from './timestamp/token.ts'
import {
  checkSigned,
  countCosignatures,
  type LogSource,
  readCheckpoint,
  verifyConsistency,
  verifyReceipt,
  verifyTree,
} from './verify.ts'

const USAGE = `amanat log verify <log URL | folder | receipt file> [--key VKEY] [--witness VKEY]… [--policy FILE] [--since CHECKPOINT_FILE]
                         [--timestamp FILE --tsa-ca PEM_FILE]
  checks a whole log, or one receipt; with --since also that the log continues the one of an older checkpoint.
  --key      the log's verifier key; without it the key that the log or receipt itself names is taken
  --witness  a witness's verifier key whose cosignature must be there; may be repeated
  --policy   a file of known logs, witnesses and the quorum that makes a checkpoint count (C2SP tlog-policy)
  --timestamp  a saved answer of <log URL>/timestamps/<size>: that the log was so long at that time, and continues it
  --tsa-ca     the certificates, in PEM, of the time-stamp authorities that you trust`

export type VerifyNeeds = { readonly print: (line: string) => void; readonly fetching: typeof fetch }

type Options = {
  readonly key?: string
  readonly witness: readonly string[]
  readonly policy?: string
  readonly since?: string
  readonly timestamp?: string
  readonly tsaCa?: string
}

/** Something was wrong; the line for it has been printed. */
class Failed extends Error {
  override readonly name = 'Failed'
}

/** `amanat log verify …`. Prints a line for each thing checked; returns 0 when all is well, 1 when not, 2 for a wrong call. */
export async function logVerifyCommand(args: readonly string[], needs: VerifyNeeds = processNeeds()): Promise<number> {
  const parsed = readArgs(args)
  if (parsed === undefined) {
    needs.print(USAGE)
    return 2
  }
  try {
    await verifyTarget(parsed.target, parsed.options, needs)
    return 0
  } catch (error) {
    if (error instanceof Failed) return 1
    needs.print(`failed  ${error instanceof Error ? describe(error) : String(error)}`)
    return 1
  }
}

function processNeeds(): VerifyNeeds {
  return { print: (line) => process.stdout.write(`${line}\n`), fetching: fetch }
}

function readArgs(args: readonly string[]): { target: string; options: Options } | undefined {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        key: { type: 'string' },
        witness: { type: 'string', multiple: true },
        policy: { type: 'string' },
        since: { type: 'string' },
        timestamp: { type: 'string' },
        'tsa-ca': { type: 'string' },
      },
    })
    const [target, ...more] = positionals
    if (target === undefined || more.length > 0) return undefined
    const { key, policy, since, timestamp, 'tsa-ca': tsaCa } = values
    if ((timestamp === undefined) !== (tsaCa === undefined)) return undefined
    const witness = [...new Set(values.witness)]
    return {
      target,
      options: {
        witness,
        ...(key === undefined ? {} : { key }),
        ...(policy === undefined ? {} : { policy }),
        ...(since === undefined ? {} : { since }),
        ...(timestamp === undefined ? {} : { timestamp }),
        ...(tsaCa === undefined ? {} : { tsaCa }),
      },
    }
  } catch {
    // An unknown option: the usage says which there are.
    return undefined
  }
}

async function verifyTarget(target: string, options: Options, needs: VerifyNeeds): Promise<void> {
  if (/^https?:\/\//.test(target)) {
    const prefix = target.replace(/\/+$/, '').replace(/\/checkpoint$/, '')
    return verifyWholeLog(httpSource(prefix, needs.fetching), options, needs.print)
  }
  const kind = await stat(target)
  if (kind.isDirectory()) return verifyWholeLog(folderSource(target), options, needs.print)
  if (options.since !== undefined || options.timestamp !== undefined) {
    needs.print('failed  --since and --timestamp need a log (URL or folder), not a receipt')
    throw new Failed()
  }
  verifyOneReceipt(await readFile(target, 'utf8'), options, await readPolicy(options, needs.print), needs.print)
}

async function verifyWholeLog(source: LogSource, options: Options, print: VerifyNeeds['print']): Promise<void> {
  const log = await keyOfLog(source, options, print)
  const signed = insist(await readCheckpoint(source, log), print)
  const { checkpoint } = signed
  print(`ok      checkpoint of ${checkpoint.origin}: ${checkpoint.size} entries, signed with ${log.keyId}`)
  if (checkpoint.size === 0) {
    print('failed  the log is empty: nothing to check')
    throw new Failed()
  }
  const tree = insist(await verifyTree(source, signed), print)
  print(
    `ok      tree: ${checkpoint.size} entries in ${tree.bundles} bundles and ${tree.tiles} tiles hash to the signed root`,
  )
  requireWitnesses(insist(countCosignatures(signed, witnessesOf(options, print)), print), options, print)
  requirePolicy(await readPolicy(options, print), signed, options.key, print)
  if (options.since !== undefined)
    await requireHistory(source, log, signed, await readFile(options.since, 'utf8'), print)
  if (options.timestamp === undefined || options.tsaCa === undefined) return
  const roots = readRoots(await readFile(options.tsaCa, 'utf8'))
  const stamped = insist(readStampFile(await readFile(options.timestamp, 'utf8'), roots), print)
  print(`ok      time-stamp: ${stamped.authority} saw this checkpoint at ${stamped.at.toISOString()}`)
  await requireHistory(source, log, signed, stamped.checkpoint, print)
}

/** The log continues an older checkpoint of its own. */
async function requireHistory(
  source: LogSource,
  log: Verifier,
  signed: SignedCheckpoint,
  note: string,
  print: VerifyNeeds['print'],
): Promise<void> {
  const { checkpoint } = signed
  const older = insist(checkSigned(note, log), print)
  if (older.checkpoint.size > checkpoint.size) {
    print(
      `failed  the log had ${older.checkpoint.size} entries at the older checkpoint and has ${checkpoint.size} now: it was rolled back`,
    )
    throw new Failed()
  }
  const { from, to } = insist(await verifyConsistency(older, signed, source), print)
  print(`ok      history: the log of ${to} entries continues the one of ${from}`)
}

function verifyOneReceipt(
  json: string,
  options: Options,
  policy: LogPolicy | undefined,
  print: VerifyNeeds['print'],
): void {
  const trusted = {
    ...(options.key === undefined ? {} : { log: options.key }),
    ...(options.witness.length === 0 ? {} : { witnesses: options.witness }),
  }
  const verified = insist(verifyReceipt(json, trusted), print)
  const { receipt, signed, index, cosignedBy } = verified
  const type = typeof receipt.event.type === 'string' ? receipt.event.type : 'event'
  print(`ok      receipt: ${type} of ${receipt.at} is entry ${index} of ${signed.checkpoint.origin}`)
  print(`ok      checkpoint: ${signed.checkpoint.size} entries, signed by the log`)
  const isKnown = policy?.logs.some(({ origin }) => origin === signed.checkpoint.origin) === true
  if (options.key === undefined && !isKnown)
    print('note    the key is the one that the receipt names; give --key to check it against one you know')
  if (policy !== undefined)
    requirePolicy(policy, signed, options.key ?? (isKnown ? undefined : receipt.log.vkey), print)
  if (options.witness.length > 0) return requireWitnesses(cosignedBy, options, print)
  if (policy !== undefined) return
  const count = `${cosignedBy.length} of ${receipt.witnesses.length} witnesses named in the receipt`
  print(
    `${cosignedBy.length > 0 ? 'ok    ' : 'note  '}  cosigned by ${count}${cosignedBy.length > 0 ? `: ${cosignedBy.join(', ')}` : ''}`,
  )
}

async function readPolicy(options: Options, print: VerifyNeeds['print']): Promise<LogPolicy | undefined> {
  return options.policy === undefined ? undefined : insist(parsePolicy(await readFile(options.policy, 'utf8')), print)
}

function requirePolicy(
  policy: LogPolicy | undefined,
  signed: SignedCheckpoint,
  key: string | undefined,
  print: VerifyNeeds['print'],
): void {
  if (policy === undefined) return
  const { satisfied, cosigned } = insist(judgeCheckpoint(policy, signed, key), print)
  const by = cosigned.length === 0 ? 'nobody' : cosigned.join(', ')
  print(`${satisfied ? 'ok    ' : 'failed'}  policy: ${describeQuorum(policy)} must cosign; ${by} did`)
  if (!satisfied) throw new Failed()
}

async function keyOfLog(source: LogSource, options: Options, print: VerifyNeeds['print']): Promise<Verifier> {
  if (options.key !== undefined) return insist(verifierOf(options.key), print)
  const bytes = await source.read('vkey')
  if (bytes === undefined) {
    print(
      `failed  ${source.name} is no log that names its key (vkey), and none was given with --key; the address of a log ends in /log`,
    )
    throw new Failed()
  }
  const vkey = new TextDecoder().decode(bytes).trim()
  const verifier = insist(verifierOf(vkey), print)
  print(
    `note    trust on first use: the key is the one that ${source.name} itself names; keep it and give it with --key next time`,
  )
  print(`note    ${vkey}`)
  return verifier
}

function witnessesOf(options: Options, print: VerifyNeeds['print']): readonly Verifier[] {
  return options.witness.map((vkey) => insist(verifierOf(vkey), print))
}

function requireWitnesses(cosignedBy: readonly string[], options: Options, print: VerifyNeeds['print']): void {
  if (options.witness.length === 0) return
  const all = cosignedBy.length === options.witness.length
  const names = cosignedBy.length > 0 ? `: ${cosignedBy.join(', ')}` : ''
  print(`${all ? 'ok    ' : 'failed'}  cosigned by ${cosignedBy.length} of ${options.witness.length} witnesses${names}`)
  if (!all) throw new Failed()
}

function insist<T>(result: T | Refusal, print: VerifyNeeds['print']): T {
  if (!isRefusal(result)) return result
  print(`failed  ${result.detail}`)
  throw new Failed()
}

/** fetch says only "fetch failed" and hides the reason in its cause. */
function describe(error: Error): string {
  if ('code' in error && error.code === 'ENOENT' && 'path' in error)
    return `there is no file or folder ${String(error.path)}; a log on the network begins with http:// or https://`
  if (!(error.cause instanceof Error)) return error.message
  const cause = error.cause.message.trim()
  if (cause.includes('wrong version number'))
    return 'the other side does not speak TLS; is it http:// in place of https://?'
  return `nothing answers: ${cause}. Is the address right, and does the network run?`
}
