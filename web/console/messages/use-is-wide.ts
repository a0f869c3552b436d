import { useSyncExternalStore } from 'react'

const WIDE = '(min-width: 64rem)'

const subscribe = (onChange: () => void): (() => void) => {
  const query = window.matchMedia(WIDE)
  query.addEventListener('change', onChange)
  return () => query.removeEventListener('change', onChange)
}

/** Whether there is room for a diagram. */
export function useIsWide(): boolean {
  return useSyncExternalStore(subscribe, () => window.matchMedia(WIDE).matches)
}
