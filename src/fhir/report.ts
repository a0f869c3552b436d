import { FINDINGS_MAX, type Finding, shorten } from './findings.ts'

/** What we send must hold every rule; what we receive is judged by its structure only, and the rest is noted. */
export type Mode = 'strict' | 'tolerant'

/** Rules whose breach leaves nothing that could be shown or stored as a document. */
const STRUCTURAL: ReadonlySet<string> = new Set(['document', 'structure', 'resource-type', 'limit'])

/** Collects findings: gives the severity that the mode has for a rule, drops repetitions, stops at the limit. */
export class Report {
  readonly mode: Mode
  readonly #findings: Finding[] = []
  readonly #seen = new Set<string>()
  #cut = 0
  #errors = 0
  #firstBreach: string | undefined

  constructor(mode: Mode) {
    this.mode = mode
  }

  /** Notes one finding. `mild`: never more than a warning. */
  add(path: string, rule: string, message: string, value?: unknown, mild = false): void {
    const severity = mild || (this.mode === 'tolerant' && !STRUCTURAL.has(rule)) ? 'warning' : 'error'
    if (!mild) this.#firstBreach ??= `${path}: ${message}`
    const key = `${path}\n${rule}\n${message}`
    if (this.#seen.has(key)) return
    if (severity === 'error') this.#errors++
    if (this.#findings.length >= FINDINGS_MAX) {
      this.#cut++
      return
    }
    this.#seen.add(key)
    const shown = shorten(value)
    this.#findings.push({ severity, path, rule, ...(shown === undefined ? {} : { value: shown }), message })
  }

  /** The first rule broken, in words without the value; undefined when none is, whatever severity the mode gives. */
  get firstBreach(): string | undefined {
    return this.#firstBreach
  }

  /** The findings in the order of the document's paths, then of rule and message. */
  findings(): readonly Finding[] {
    const sorted = this.#findings.sort(
      (a, b) => comparePaths(a.path, b.path) || compare(a.rule, b.rule) || compare(a.message, b.message),
    )
    if (this.#cut === 0) return sorted
    const message = `${this.#cut} more findings were left out`
    // What was left out may hold an error: a document with this many findings is none that we send.
    return [...sorted, { severity: this.#errors > 0 ? 'error' : 'warning', path: 'Bundle', rule: 'limit', message }]
  }
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/** `entry[2]` before `entry[10]`. */
function comparePaths(a: string, b: string): number {
  const left = a.split(/[.[\]]+/)
  const right = b.split(/[.[\]]+/)
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    const x = left[i] ?? ''
    const y = right[i] ?? ''
    if (x === y) continue
    const numbers = Number(x) - Number(y)
    return Number.isNaN(numbers) ? compare(x, y) : numbers
  }
  return left.length - right.length
}
