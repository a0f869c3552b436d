import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex } from '@noble/hashes/utils.js'
import { announce, record } from '../audit/record.ts'
import { canonicalJson } from '../crypto/canonical-json.ts'
import type { Tx } from '../db/tx.ts'
import { bucketOf } from '../kernel/bucket.ts'
import type { Actor } from '../kernel/caller.ts'
import { type AbhaAddress, type Id, makeId } from '../kernel/id.ts'
import { LIMITS } from '../kernel/limits.ts'
import { type Refusal, refuse } from '../kernel/refusal.ts'
import type { Language } from './languages.ts'
import type { Notice, NoticeFacts, NoticeShown, ShownNotice } from './notices.ts'
import { composeNotice } from './rules.ts'
import { countShown, findShown, insertShown } from './store.ts'
import { wordsFor } from './words.ts'

/** SHA-256 of the notice's canonical JSON, as hex. */
function hashOf(text: string): string {
  return bytesToHex(sha256(new TextEncoder().encode(text)))
}

/**
 * Shows the notice of a request to the person who decides, and keeps exactly what was shown: the words under the patient's key, their
 * hash in the log (DPDP s.5(1), s.6(10)).
 */
export async function showNotice(
  tx: Tx,
  input: {
    readonly patient: AbhaAddress
    /** The patient, or the guardian of a child. */
    readonly reader: AbhaAddress
    readonly request: Id<'consent-request'>
    readonly facts: NoticeFacts
    readonly language: Language
    readonly channel: 'app'
    readonly actor: Actor
  },
): Promise<ShownNotice | Refusal> {
  const { patient, reader, request, language, channel } = input
  if ((await countShown(tx, request, reader)) >= LIMITS.noticesPerRequestMax)
    return refuse(
      'request/too-many',
      `The notice was shown ${LIMITS.noticesPerRequestMax} times already; use the last one.`,
    )
  const notice = composeNotice(wordsFor(language), language, input.facts)
  const text = canonicalJson(notice)
  const recorded = await record(tx, {
    type: 'notice.shown',
    actor: input.actor,
    patient,
    subject: request,
    notice: makeId<'shown-notice'>(tx.now, tx.random, bucketOf(patient)),
    reader,
    version: notice.version,
    language,
    wordsLanguage: notice.wordsLanguage,
    channel,
    sha256: hashOf(text),
  } satisfies NoticeShown)
  await insertShown(tx, recorded, text)
  await announce(tx, recorded)
  return { id: recorded.event.notice, sha256: recorded.event.sha256, shownAt: tx.now, notice }
}

/**
 * The notice as it was shown, if it was shown to this person, about this request, after `since`; else a refusal: nobody decides without
 * having been told (DPDP s.5(1)).
 */
export async function shownNotice(
  tx: Tx,
  input: {
    readonly patient: AbhaAddress
    readonly reader: AbhaAddress
    readonly request: Id<'consent-request'>
    readonly id: Id<'shown-notice'>
    readonly since: Date
  },
): Promise<ShownNotice | Refusal> {
  const row = await findShown(tx, input.id)
  if (
    row === undefined ||
    row.patient !== input.patient ||
    row.reader !== input.reader ||
    row.request !== input.request ||
    row.shownAt < input.since ||
    row.text === undefined
  )
    return refuse('notices/not-shown', undefined, 'notice')
  if (hashOf(row.text) !== row.sha256) throw new Error(`the notice ${row.id} is not the one that was shown`)
  return { id: row.id, sha256: row.sha256, shownAt: row.shownAt, notice: JSON.parse(row.text) as Notice }
}
