import fs from 'node:fs'
import path from 'node:path'

const WEB = path.join(import.meta.dirname, '..', '..', 'web')

/** What the desk says under a key, values in their places; in right-to-left text they stand in isolates. */
export function saidAtDesk(language: string, key: string, values: Readonly<Record<string, string>> = {}): string {
  const isolated = (name: string): string => (language === 'ur' ? `\u2068${values[name]}\u2069` : (values[name] ?? ''))
  for (const file of fs.globSync([`desk/words/${language}/*.json`, `ui/words/${language}/*.json`], { cwd: WEB })) {
    const words = JSON.parse(fs.readFileSync(path.join(WEB, file), 'utf8')) as Record<string, string>
    const text = words[key]
    if (text !== undefined) return text.replace(/\{(\w+)\}/g, (_, name: string) => isolated(name))
  }
  throw new Error(`no words for ${key} in ${language}`)
}
