import type common from './words/en/common.json'

type Key = Extract<keyof typeof common, `event.${string}`>

/** Events for which there is a sentence; the others are shown by their type. */
const SAID: Readonly<Record<string, Key>> = {
  'access.reported': 'event.look',
  'hiu.record-viewed': 'event.look',
  'records.viewed': 'event.look',
  'hiu.record-exported': 'event.look',
  'records.exported': 'event.look',
  'hiu.view-denied': 'event.look-denied',
  'records.view-denied': 'event.look-denied',
  'transfer.requested': 'event.data-asked',
  'transfer.refused': 'event.data-refused',
  'hip.request-refused': 'event.data-refused',
  'hip.request-accepted': 'event.data-allowed',
  'hip.page-disclosed': 'event.disclosed',
  'hip.page-withheld': 'event.withheld',
  'consent.requested': 'event.consent-asked',
  'consent.granted': 'event.consent-granted',
  'consent.denied': 'event.consent-denied',
  'consent.revoked': 'event.consent-revoked',
  'consent.data-erased': 'event.erased',
  'hiu.copy-erased': 'event.erased',
  'emergency.opened': 'event.emergency',
  'consent.emergency-opened': 'event.emergency',
  'log.alarm-raised': 'event.alarm',
}

/** The sentence of an event's type; undefined for one that has none. */
export function eventKey(type: string): Key | undefined {
  return Object.hasOwn(SAID, type) ? SAID[type] : undefined
}
