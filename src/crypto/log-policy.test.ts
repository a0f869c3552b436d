import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isRefusal, must } from '../kernel/refusal.ts'
import { formatCheckpoint, parseSignedCheckpoint } from './checkpoint.ts'
import { makeCosigner } from './cosignature.ts'
import { describeQuorum, isQuorum, judgeCheckpoint, type LogPolicy, parsePolicy } from './log-policy.ts'
import { leafHash, rootOf } from './merkle.ts'
import { formatNote, formatSignature, formatVkey, makeSigner, signNote } from './signed-note.ts'

const log = makeSigner('hospital.example/log', new Uint8Array(32).fill(1))
const names = ['a', 'b', 'c', 'd', 'e'] as const
const cosigners = names.map((name, i) => makeCosigner(`${name}.example/witness`, new Uint8Array(32).fill(i + 10)))
const witnessLines = names.map((name, i) => `witness ${name} ${formatVkey(cosigners[i]?.key ?? log.key)}`).join('\n')
const logLine = `log ${formatVkey(log.key)} https://hospital.example/log`

const text = formatCheckpoint({ origin: log.key.name, size: 1, root: rootOf([leafHash(Buffer.from('x'))]) })
const checkpoint = (by: readonly string[], signer = log) =>
  must(
    parseSignedCheckpoint(
      formatNote({ text, signatures: [signNote(text, signer)] }) +
        cosigners
          .filter((_, i) => by.includes(names[i] ?? ''))
          .map((cosigner) => formatSignature(cosigner.cosign(text, 1_800_000_000)))
          .join(''),
    ),
  )

test('groups of two levels: two of the one house and any of the other', () => {
  const policy = must(
    parsePolicy(
      `# a comment\n${logLine}\n\n${witnessLines}\n group x 2 a b c\n\tgroup y any d e \ngroup both all x y\nquorum both\n`,
    ),
  )
  assert.equal(describeQuorum(policy), 'all of (2 of a, b, c), (1 of d, e)')
  const stands = (...by: string[]) => must(judgeCheckpoint(policy, checkpoint(by)))
  assert.equal(stands('a', 'b', 'd').satisfied, true)
  assert.equal(stands('a', 'b', 'c').satisfied, false)
  assert.deepEqual(stands('c', 'e'), { satisfied: false, cosigned: ['c', 'e'], missing: ['a', 'b', 'd'] })
})

test('a checkpoint of another log, by another key, or with a bad cosignature never counts', () => {
  const policy = must(parsePolicy(`${logLine}\n${witnessLines}\nquorum none\n`))
  assert.equal(must(judgeCheckpoint(policy, checkpoint([]))).satisfied, true)
  const forger = makeSigner(log.key.name, new Uint8Array(32).fill(9))
  assert.ok(isRefusal(judgeCheckpoint(policy, checkpoint(['a'], forger))))
  assert.ok(isRefusal(judgeCheckpoint(policy, checkpoint([]), formatVkey(forger.key))))
  const signed = checkpoint(['a'])
  const [own, first] = signed.note.signatures
  assert.ok(own && first)
  const bent = { ...first, signature: first.signature.map((byte, i) => (i === 20 ? byte ^ 1 : byte)) }
  assert.ok(isRefusal(judgeCheckpoint(policy, { ...signed, note: { ...signed.note, signatures: [own, bent] } })))
  const noLogs = must(parsePolicy(`${witnessLines}\nquorum a\n`))
  assert.ok(isRefusal(judgeCheckpoint(noLogs, signed)), 'without a key nothing says which log is meant')
  assert.equal(must(judgeCheckpoint(noLogs, signed, formatVkey(log.key))).satisfied, true)
})

test('what a policy may not say', () => {
  const [first = ''] = witnessLines.split('\n')
  const again = first.replace('witness a', 'witness z')
  const bad: readonly (readonly [string, RegExp])[] = [
    ['', /quorum/],
    ['quorum a\n', /line 1/],
    [`${first}\nquorum a\nquorum a\n`, /line 3/],
    [`${first}\n${first}\nquorum a\n`, /twice/],
    [`${first}\n${again}\nquorum a\n`, /twice/],
    [`${logLine}\n${logLine}\nquorum none\n`, /twice/],
    [`${first}\ngroup g 2 a\nquorum g\n`, /from 1 to 1/],
    [`${first}\ngroup g 0 a\nquorum g\n`, /from 1 to 1/],
    [`${first}\ngroup g any a\ngroup h any a\nquorum h\n`, /member already/],
    [`group g any g\nquorum g\n`, /no witness or group/],
    [`${first}\ngroup g any none\nquorum g\n`, /no witness or group/],
    [`${first.replace('witness a', 'witness none')}\nquorum none\n`, /no name/],
    [`witness a ${formatVkey(log.key)}\nquorum a\n`, /type/],
    [`log ${formatVkey(cosigners[0]?.key ?? log.key)}\nquorum none\n`, /type/],
    [`${first}\r\nquorum a\n`, /characters/],
    [`frobnicate\nquorum none\n`, /begins with/],
  ]
  for (const [policy, why] of bad) {
    const read = parsePolicy(policy)
    assert.ok(isRefusal(read), policy)
    assert.match(read.detail, why, policy)
  }
})

/** A tree of groups over the five witnesses, as lines and as what it means. */
type Meaning = (by: ReadonlySet<string>) => boolean
const policies = fc
  .array(fc.record({ take: fc.integer({ min: 1, max: 4 }), k: fc.integer({ min: 1, max: 4 }) }), { maxLength: 5 })
  .map((groups) => {
    const free: { name: string; means: Meaning }[] = names.map((name) => ({ name, means: (by) => by.has(name) }))
    const lines: string[] = []
    let quorum = free[0]
    for (const [i, { take, k }] of groups.entries()) {
      const members = free.splice(0, Math.min(take, free.length))
      if (members.length === 0) break
      const threshold = Math.min(k, members.length)
      lines.push(`group g${i} ${threshold} ${members.map(({ name }) => name).join(' ')}`)
      quorum = { name: `g${i}`, means: (by) => members.filter(({ means }) => means(by)).length >= threshold }
      free.push(quorum)
    }
    return { text: `${witnessLines}\n${lines.join('\n')}\nquorum ${quorum?.name}\n`, means: quorum?.means }
  })

test('property: a quorum is what the groups say, and one more cosignature never undoes it', () => {
  fc.assert(
    fc.property(policies, fc.subarray([...names]), fc.constantFrom(...names), ({ text: lines, means }, by, more) => {
      const policy: LogPolicy = must(parsePolicy(lines))
      assert.equal(isQuorum(policy, by), means?.(new Set(by)))
      if (isQuorum(policy, by)) assert.equal(isQuorum(policy, [...by, more]), true)
    }),
  )
})

test('property: no text breaks the reader', () => {
  const words = fc.constantFrom('log', 'witness', 'group', 'quorum', 'all', 'any', '2', 'a', 'none', '\n', '\t', '#')
  fc.assert(
    fc.property(
      fc.array(fc.oneof(words, fc.string()), { maxLength: 30 }),
      (parts) => void parsePolicy(parts.join(' ')),
    ),
  )
})
