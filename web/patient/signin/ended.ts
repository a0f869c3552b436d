/** Who was signed in on this page before the session ended: she comes back to where she was. */
let before: string | undefined

export function rememberPerson(abhaAddress: string): void {
  before = abhaAddress
}

/** The person whose session ended without her doing; undefined at the first sign-in, or after signing out. */
export function personBefore(): string | undefined {
  return before
}

export function forgetPerson(): void {
  before = undefined
  keepPeopleHere([])
}

/** On this device, until she signs out: without a line nobody else can say for whom it may show what waits here. */
const KEPT = 'amanat.people-here'

/** Keeps for whom the person who is signed in decides: herself and who depends on her; `[]` = nobody is signed in. */
export function keepPeopleHere(people: readonly string[]): void {
  if (people.length === 0) localStorage.removeItem(KEPT)
  else localStorage.setItem(KEPT, JSON.stringify(people))
}

export function peopleHere(): readonly string[] {
  const kept = localStorage.getItem(KEPT)
  return kept === null ? [] : (JSON.parse(kept) as readonly string[])
}
