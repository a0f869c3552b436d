import { useSyncExternalStore } from 'react'

/** Where somebody said "not on this device": she is not asked at each sign-in. */
const DECLINED = 'amanat.no-passkey'
const listeners = new Set<() => void>()
let isOpen = false

function set(to: boolean): void {
  isOpen = to
  for (const changed of listeners) changed()
}

/** After a sign-in by code: a passkey is offered next, once, unless it was declined on this device. */
export function openOffer(): void {
  if (localStorage.getItem(DECLINED) === null) set(true)
}

export function closeOffer(isDeclined: boolean): void {
  if (isDeclined) localStorage.setItem(DECLINED, '1')
  set(false)
}

export function useIsOfferOpen(): boolean {
  return useSyncExternalStore(
    (changed) => {
      listeners.add(changed)
      return () => listeners.delete(changed)
    },
    () => isOpen,
  )
}
