import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import fc from 'fast-check'
import { isRefusal, must, type Refusal } from '../kernel/refusal.ts'
import { formatCheckpoint, parseCheckpoint, parseSignedCheckpoint } from './checkpoint.ts'
import { cosignatureTime, makeCosigner, verifierOf } from './cosignature.ts'
import { EMPTY_ROOT } from './merkle.ts'
import {
  ed25519Verifier,
  formatNote,
  formatVkey,
  makeSigner,
  type NoteSignature,
  openNote,
  parseNote,
  parseVkey,
  signNote,
  verifyEd25519,
} from './signed-note.ts'
import { formatTlogProof, leadsToCheckpoint, parseTlogProof } from './tlog-proof.ts'

const seed = (n: number): Uint8Array => new Uint8Array(32).fill(n)
const log = makeSigner('log.example/a', seed(1))
const witness = makeCosigner('witness.example/w', seed(2))
const root = new Uint8Array(32).fill(7)
const text = formatCheckpoint({ origin: 'log.example/a', size: 42, root })
const code = (value: unknown): Refusal['code'] | undefined => (isRefusal(value) ? value.code : undefined)

test('a note signed by log and witness opens with either key, in type 01 and 04', () => {
  const note = { text, signatures: [signNote(text, log), witness.cosign(text, 1_767_139_200)] }
  const read = must(parseNote(formatNote(note)))
  assert.equal(formatNote(read), formatNote(note))
  const logKey = must(verifierOf(formatVkey(log.key)))
  const witnessKey = must(verifierOf(formatVkey(witness.key)))
  const opened = openNote(read, [logKey, witnessKey])
  assert.deepEqual(
    must(opened).map(({ name }) => name),
    ['log.example/a', 'witness.example/w'],
  )
  assert.equal(must(openNote(read, [witnessKey])).length, 1)
  assert.equal(cosignatureTime(must(openNote(read, [witnessKey]))[0]?.signature ?? EMPTY_ROOT), 1_767_139_200)
  assert.equal(code(openNote(read, [ed25519Verifier(makeSigner('log.example/a', seed(3)).key)])), 'log/note-unverified')
})

test('any change to a signed note is found', () => {
  const good = formatNote({ text, signatures: [signNote(text, log), witness.cosign(text, 1_767_139_200)] })
  const keys = [log.key, witness.key].map((key) => must(verifierOf(formatVkey(key))))
  fc.assert(
    fc.property(
      fc.nat({ max: good.length - 1 }),
      fc.constantFrom('A', '7', '\n', ' ', '=', '\u0001', 'é'),
      (at, char) => {
        if (good[at] === char) return
        const note = parseNote(good.slice(0, at) + char + good.slice(at + 1))
        // A changed key name or id makes that line an unknown key's: then only the other one is left.
        const opened = isRefusal(note) ? note : openNote(note, keys)
        assert.ok(isRefusal(opened) || (opened.length === 1 && at > text.length))
      },
    ),
    { numRuns: 600 },
  )
})

test('a known key with a bad signature spoils the note, unknown keys do not, sixteen and more are read', () => {
  const good = signNote(text, log)
  const bad: NoteSignature = { ...good, signature: new Uint8Array(64) }
  const keys = [ed25519Verifier(log.key)]
  assert.equal(code(openNote({ text, signatures: [good, bad] }, keys)), 'log/note-unverified')
  const others = Array.from({ length: 20 }, (_, i) => signNote(text, makeSigner(`other${i}`, seed(10 + i))))
  const many = must(parseNote(formatNote({ text, signatures: [...others, good, good] })))
  assert.equal(must(openNote(many, keys)).length, 1)
  assert.equal(code(openNote({ text, signatures: others }, keys)), 'log/note-unverified')
})

test('malformed notes, keys and checkpoints are refused', () => {
  const line =
    formatNote({ text, signatures: [signNote(text, log)] })
      .split('\n')
      .at(-2) ?? ''
  const notes = ['', 'text', `${text}\n`, `${text}\n${line}`, `a\u0007\n\n${line}\n`, `a\n\n- x y\n`, `a\n\n— x y z\n`]
  for (const note of notes) assert.equal(code(parseNote(note)), 'log/note-malformed', JSON.stringify(note))
  const vkey = formatVkey(log.key)
  assert.deepEqual(must(parseVkey(vkey)), log.key)
  for (const bad of ['', 'name', 'a+00000000+AAAA', vkey.replace('example', 'exemple'), `${vkey}=`, `${vkey}AA`]) {
    assert.equal(code(parseVkey(bad)), 'log/key-malformed', bad)
  }
  const b64 = Buffer.from(root).toString('base64')
  for (const bad of [`o\n-1\n${b64}\n`, `o\n01\n${b64}\n`, `o\n1\nAAAA\n`, `o\n1\n${b64}`, `\n1\n${b64}\n`]) {
    assert.equal(code(parseCheckpoint(bad)), 'log/note-malformed', JSON.stringify(bad))
  }
  assert.equal(code(parseCheckpoint(`o\n0\n${b64}\n`)), 'log/note-malformed')
  assert.equal(code(parseCheckpoint(`o\n9007199254740993\n${b64}\n`)), 'log/note-malformed')
  assert.equal(must(parseCheckpoint(`o\n1\n${b64}\nextension\n`)).size, 1)
})

test('a tlog proof round-trips and every malformed line is refused', () => {
  const signed = must(parseSignedCheckpoint(formatNote({ text, signatures: [signNote(text, log)] })))
  const proof = { index: 3, proof: [root, EMPTY_ROOT], signed }
  const written = formatTlogProof(proof)
  assert.deepEqual(parseTlogProof(written), proof)
  const extra = { ...proof, extra: Uint8Array.of(1, 2) }
  assert.deepEqual(parseTlogProof(formatTlogProof(extra)), extra)
  assert.equal(leadsToCheckpoint(proof, root), false)
  for (const [from, to] of [
    ['@v1', '@v2'],
    ['index 3', 'index 03'],
    ['index 3\n', ''],
    ['\n\n', '\n'],
    ['BwcH', 'Bwc!'],
  ] as const) {
    assert.match(code(parseTlogProof(written.replace(from, to))) ?? '', /^log\/(proof|note)-malformed$/)
  }
})

type Vectors = {
  verify: { vkey: string; note?: string; noteFile?: string; ok: boolean; time?: number }[]
  keyIdOnly: { vkey: string }[]
  badVkeys: string[]
  testSignerKey: { skey: string }
}
const published = new URL('../../../shared/anchors/vectors/', import.meta.url)

test('published notes and keys', { skip: !existsSync(published) }, () => {
  const vectors = JSON.parse(readFileSync(new URL('signed-note/notes.json', published), 'utf8')) as Vectors
  let checked = 0
  for (const vector of vectors.verify) {
    const file = vector.noteFile === undefined ? undefined : new URL(`signed-note/${vector.noteFile}`, published)
    if (file && !existsSync(file)) continue
    const note = must(parseNote(vector.note ?? readFileSync(file ?? published, 'utf8')))
    const opened = openNote(note, [must(verifierOf(vector.vkey))])
    assert.equal(!isRefusal(opened), vector.ok, vector.vkey)
    if (vector.time && !isRefusal(opened)) assert.equal(cosignatureTime(opened[0]?.signature ?? root), vector.time)
    checked++
  }
  assert.ok(checked >= 3)
  for (const { vkey } of vectors.keyIdOnly) assert.equal(formatVkey(must(parseVkey(vkey))), vkey)
  for (const vkey of vectors.badVkeys) assert.ok(isRefusal(parseVkey(vkey)), vkey)
})

test('re-signing a published checkpoint gives the same bytes', { skip: !existsSync(published) }, () => {
  const vectors = JSON.parse(readFileSync(new URL('signed-note/notes.json', published), 'utf8')) as Vectors
  const [, name, base64] = /^PRIVATE\+KEY\+([^+]+)\+[0-9a-f]{8}\+(.+)$/.exec(vectors.testSignerKey.skey) ?? []
  const signer = makeSigner(name ?? '', Buffer.from(base64 ?? '', 'base64').subarray(1))
  for (const n of ['1', '2', '8', '15']) {
    const original = readFileSync(new URL(`tlog-tiles/tessera-testlog/checkpoint.${n}`, published), 'utf8')
    const { note } = must(parseSignedCheckpoint(original))
    assert.equal(formatNote({ text: note.text, signatures: [signNote(note.text, signer)] }), original)
  }
})

test('verifying never throws', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 70 }), fc.uint8Array({ maxLength: 40 }), (signature, key) => {
      assert.equal(verifyEd25519(signature, root, key), false)
    }),
  )
})
