/** `npm run generate`: every file that is made from the code: schema dump, table types, and the generated pages of `docs/`. */
import fs from 'node:fs'
import path from 'node:path'
import { errorsPage } from './generate-errors.ts'
import { eventsPage } from './generate-events.ts'
import { openApiDocuments } from './generate-openapi.ts'
import { permissionsPage } from './generate-permissions.ts'
import { generateSchemaFiles } from './generate-schema.ts'
import { statesPage } from './generate-states.ts'

const ROOT = path.join(import.meta.dirname, '..')

/** File (relative to the repository) → content. */
export async function generateFiles(): Promise<Map<string, string>> {
  return new Map([
    ...(await generateSchemaFiles()),
    ['docs/errors.md', errorsPage()],
    ['docs/events.md', await eventsPage()],
    ['docs/permissions.md', permissionsPage()],
    ['docs/states.md', await statesPage()],
    ...openApiDocuments(),
  ])
}

if (import.meta.main) {
  for (const [file, content] of await generateFiles()) {
    const full = path.join(ROOT, file)
    fs.mkdirSync(path.dirname(full), { recursive: true })
    const changed = !fs.existsSync(full) || fs.readFileSync(full, 'utf8') !== content
    if (changed) fs.writeFileSync(full, content)
    console.log(`${changed ? 'wrote' : 'same '} ${file}`)
  }
}
