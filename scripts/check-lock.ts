/** Finds optional packages that the lock file leaves out: `npm ci` on another platform would stop at them. */
import fs from 'node:fs'
import path from 'node:path'

type Locked = { readonly packages: Record<string, { readonly optionalDependencies?: Record<string, string> }> }

/** `package -> missing optional package`, one line each. */
export function holesInLock(file: string): string[] {
  const { packages } = JSON.parse(fs.readFileSync(file, 'utf8')) as Locked
  const isThere = (from: string, name: string): boolean => {
    for (let place = from; ; ) {
      if (packages[`${place ? `${place}/` : ''}node_modules/${name}`]) return true
      if (!place) return false
      const cut = place.lastIndexOf('node_modules/')
      place = cut > 0 ? place.slice(0, cut - 1) : ''
    }
  }
  return Object.entries(packages).flatMap(([from, { optionalDependencies }]) =>
    Object.keys(optionalDependencies ?? {})
      .filter((name) => !isThere(from, name))
      .map((name) => `${from || 'this project'} -> ${name}`),
  )
}

if (import.meta.main) {
  const holes = holesInLock(path.join(import.meta.dirname, '..', 'package-lock.json'))
  console.log(holes.length === 0 ? 'the lock file is complete' : holes.join('\n'))
  process.exitCode = holes.length === 0 ? 0 : 1
}
