import { type RefObject, useEffect, useRef } from 'react'

/** Focuses an element when it appears, after the heading of its page had its turn. Its label and hint are read out with it. */
export function useFocusFirst<Kind extends HTMLElement>(isWanted = true): RefObject<Kind | null> {
  const element = useRef<Kind>(null)
  useEffect(() => {
    if (isWanted) element.current?.focus()
  }, [isWanted])
  return element
}
