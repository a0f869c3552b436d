import type { AuditEvent } from '../audit/record.ts'

/** What is recorded of the wrapping keys. Never a key, and never whose data key. */
export const EVENTS = {
  'keys.rotated':
    'A new version of the key that wraps the data keys was made; they are wrapped anew in the background.',
  'keys.rewrapped': 'No data key is wrapped by this version of the wrapping key any more.',
  'keys.version-destroyed': 'An old version of the wrapping key, which nothing used, was destroyed.',
  'keys.erased-again':
    'After a restore, keys whose rows had come back and whose shares were destroyed were marked erased again.',
  'keys.rows-tied':
    'At the first start of a release that ties rows by which people and partners prove who they are, those that stood there were tied.',
} as const

export type KeysEvent = AuditEvent &
  (
    | { readonly type: 'keys.rotated'; readonly provider: string; readonly wrapId: string; readonly before: string }
    | { readonly type: 'keys.rewrapped'; readonly from: string; readonly to: string }
    | { readonly type: 'keys.version-destroyed'; readonly provider: string; readonly wrapId: string }
    | { readonly type: 'keys.erased-again'; readonly keys: number }
    | { readonly type: 'keys.rows-tied'; readonly step: string; readonly rows: number }
  )
