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
}
