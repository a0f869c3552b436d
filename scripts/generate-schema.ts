/**
 * Writes `src/db/schema.sql` and `src/db/tables.generated.ts` from the migrations, on a throwaway server. Runs alone, or as a part of
 * `npm run generate` and `npm run check`.
 */
import fs from 'node:fs'
import path from 'node:path'
import { connect } from '../src/db/connect.ts'
import { dumpSchema } from '../src/db/dump-schema.ts'
import { generateTables } from '../src/db/generate-tables.ts'
import { startTestServer, TEMPLATE, TEST_VEIL } from '../test/database.ts'

const ROOT = path.join(import.meta.dirname, '..')

/** What the migrations make: file (relative to the repository) → content. */
export async function generateSchemaFiles(): Promise<Map<string, string>> {
  const server = await startTestServer()
  try {
    const connection = await connect({
      connectionString: server.connectionString(TEMPLATE),
      veil: TEST_VEIL,
      onError: (error) => console.error(error.message),
    })
    try {
      return new Map([
        ['src/db/schema.sql', await dumpSchema(connection.pool)],
        ['src/db/tables.generated.ts', await generateTables(connection.pool)],
      ])
    } finally {
      await connection.close()
    }
  } finally {
    await server.stop()
  }
}

if (import.meta.main) {
  for (const [file, content] of await generateSchemaFiles()) {
    fs.writeFileSync(path.join(ROOT, file), content)
    console.log(`wrote ${file}`)
  }
}
