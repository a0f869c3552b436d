/** What this page of this device has seen and done, so that a decision made elsewhere is told as such. */
const seenOpen = new Set<string>()
const decidedHere = new Set<string>()

export function wasSeenOpen(request: string): void {
  seenOpen.add(request)
}

export function wasDecidedHere(request: string): void {
  decidedHere.add(request)
}

/** It waited when this page last saw it, and somebody else decided. */
export function wasDecidedElsewhere(request: string): boolean {
  return seenOpen.has(request) && !decidedHere.has(request)
}
