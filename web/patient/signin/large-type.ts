import { useSyncExternalStore } from 'react'

const KEPT = 'amanat.large-type'
const listeners = new Set<() => void>()

const isLarge = (): boolean => document.documentElement.dataset['large'] !== undefined

/** Large type on this device, as it was chosen before. */
export function applyLargeType(): void {
  show(localStorage.getItem(KEPT) !== null)
}

function show(large: boolean): void {
  if (large) document.documentElement.dataset['large'] = ''
  else delete document.documentElement.dataset['large']
  for (const changed of listeners) changed()
}

export function setLargeType(large: boolean): void {
  if (large) localStorage.setItem(KEPT, '1')
  else localStorage.removeItem(KEPT)
  show(large)
}

export function useLargeType(): boolean {
  return useSyncExternalStore((changed) => {
    listeners.add(changed)
    return () => listeners.delete(changed)
  }, isLarge)
}
