import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex } from '@noble/hashes/utils.js'
import type { Profiles } from '../profiles.ts'
import { withoutTellingNumbers } from './numbers-in-text.ts'
import type { Mode, Project } from './project.ts'

/** Why something left the document. */
export type Reason =
  | 'identifier'
  | 'name-or-contact'
  | 'place'
  | 'date'
  | 'age-over-89'
  | 'free-text'
  | 'attachment'
  | 'unknown-code'
  | 'large-number'
  | 'extension'
  | 'reference'
  | 'address-of-a-resource'
  | 'unknown-element'

/** A text or attachment that a person may read and let stay. */
export type Reviewable = { readonly path: string; readonly sha256: string; readonly text: string }

export type Order = {
  readonly mode: Mode
  readonly project: Project
  /** Whose document it is, by any name that is always the same for her: pseudonym and shift are made from it. */
  readonly patient: string
  readonly now: Date
  /** SHA-256 (hex) of texts and of base64 attachments that a reviewer read and let stay. */
  readonly reviewed: ReadonlySet<string>
}

/** One document on its way through: what is known of it, and the account of what was taken. */
export class Work {
  readonly profiles: Profiles
  readonly order: Order
  readonly shiftDays: number
  /** New addresses of entries, by their old ones. */
  readonly addresses = new Map<string, string>()
  readonly removed = new Map<Reason, number>()
  readonly toReview: Reviewable[] = []

  constructor(profiles: Profiles, order: Order, shiftDays: number) {
    this.profiles = profiles
    this.order = order
    this.shiftDays = shiftDays
  }

  /** Takes something out: counts it, and answers the nothing that is left. */
  drop(reason: Reason): undefined {
    this.removed.set(reason, (this.removed.get(reason) ?? 0) + 1)
    return undefined
  }

  /** A text or attachment: stays when a reviewer let it stay, else goes onto the list of what could be reviewed. */
  reviewedOnly(path: string, text: string, reason: 'free-text' | 'attachment'): string | undefined {
    const hash = reviewHash(text)
    if (this.order.reviewed.has(hash)) return reason === 'free-text' ? this.withoutNumbers(text) : text
    if (text.trim() !== '') this.toReview.push({ path, sha256: hash, text })
    return this.drop(reason)
  }

  private withoutNumbers(text: string): string {
    const left = withoutTellingNumbers(text, this.order.mode)
    if (left !== text) this.drop('large-number')
    return left
  }
}

/** By which a reviewer names a text or attachment. */
export function reviewHash(text: string): string {
  return bytesToHex(sha256(new TextEncoder().encode(text)))
}
