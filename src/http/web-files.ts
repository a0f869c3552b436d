import { readFileSync, statSync } from 'node:fs'
import { extname, join, normalize } from 'node:path'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { WEB_DIST } from './web-build.ts'

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.json': 'application/json',
  '.webmanifest': 'application/manifest+json',
  '.woff2': 'font/woff2',
  '.png': 'image/png',
}
/** Names with a hash of their content never change. */
const FOREVER = 'public, max-age=31536000, immutable'

/** One app: where people find it, and which page of web/dist starts it. */
export type WebApp = {
  readonly path: '/me' | '/desk' | '/sandbox' | '/verify'
  readonly name: 'patient' | 'desk' | 'console' | 'verify'
}

/**
 * Serves built apps: the page under its path and every path below, the files under `/web/`. No health data passes here, so no
 * transaction and no record.
 */
export function addWebFiles(
  app: FastifyInstance,
  apps: readonly WebApp[],
  headers: Readonly<Record<string, string>>,
): void {
  const kept = new Map<string, Uint8Array>()
  const read = (file: string): Uint8Array | undefined => {
    // A new build may lie there tomorrow: pages are read anew, only what is named by its content is kept.
    if (!file.startsWith('assets/')) return readFile(file)
    const known = kept.get(file) ?? readFile(file)
    // Names of files that are not there are endless: only what is there is kept.
    if (known !== undefined) kept.set(file, known)
    return known
  }
  const answer = (request: FastifyRequest, reply: FastifyReply, name: string, caching: string): FastifyReply => {
    const encoding = chooseEncoding(request.headers['accept-encoding'], name, read)
    const bytes = read(encoding === undefined ? name : `${name}.${encoding}`)
    reply.headers(headers)
    if (bytes === undefined)
      return reply.code(404).header('content-type', 'text/plain; charset=utf-8').send('No such file.')
    reply.headers({ 'content-type': TYPES[extname(name)] ?? 'application/octet-stream', 'cache-control': caching })
    reply.header('vary', 'accept-encoding')
    if (encoding !== undefined) reply.header('content-encoding', encoding === 'gz' ? 'gzip' : 'br')
    return reply.send(Buffer.from(bytes))
  }
  for (const { path, name } of apps) {
    const page = (request: FastifyRequest, reply: FastifyReply): FastifyReply =>
      answer(request, reply, `${name}/index.html`, 'no-cache')
    app.get(path, page)
    app.get(`${path}/*`, page)
    // A worker may serve what lies beside or below it: the patient app's stands under its own path.
    if (name === 'patient') {
      app.get(`${path}/service-worker.js`, (request, reply) =>
        answer(request, reply.header('service-worker-allowed', path), 'patient-worker.js', 'no-cache'),
      )
      app.get(`${path}/manifest.webmanifest`, (request, reply) =>
        answer(request, reply, 'patient/manifest.webmanifest', 'no-cache'),
      )
    }
  }
  app.get('/web/*', (request, reply) => {
    const name = normalize((request.params as Record<string, string>)['*'] ?? '')
    return answer(request, reply, name, name.startsWith('assets/') ? FOREVER : 'no-cache')
  })
}

function readFile(name: string): Uint8Array | undefined {
  const file = join(WEB_DIST, name)
  if (!file.startsWith(`${WEB_DIST}/`) || name.includes('\u0000')) return undefined
  return statSync(file, { throwIfNoEntry: false })?.isFile() === true ? readFileSync(file) : undefined
}

function chooseEncoding(
  accept: string | undefined,
  name: string,
  read: (file: string) => Uint8Array | undefined,
): 'br' | 'gz' | undefined {
  if (accept !== undefined && /\bbr\b/.test(accept) && read(`${name}.br`) !== undefined) return 'br'
  return accept !== undefined && /\bgzip\b/.test(accept) && read(`${name}.gz`) !== undefined ? 'gz' : undefined
}
