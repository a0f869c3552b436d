import { readFile } from 'node:fs/promises'
import { z } from 'zod'
import { type Route, route } from '../http/route.ts'
import { refuse } from '../kernel/refusal.ts'
import { readFont } from './fonts.ts'
import { renderFrontPage } from './front-page-view.ts'
import { LANGUAGES, type Language } from './front-page-words.ts'
import { networkView, readNetwork, type ViewNeeds } from './network-view.ts'

const WEEK = 'public, max-age=604800'
/** Files beside the page, in `web/front/`. */
const FILES: Readonly<Record<string, string>> = {
  'front.css': 'text/css; charset=utf-8',
  'front.js': 'text/javascript; charset=utf-8',
  'icon.svg': 'image/svg+xml',
}
const FOLDER = new URL('../../web/front/', import.meta.url)
const open = { dialect: 'native', auth: 'none', once: false, method: 'GET' } as const

/** The front page of the sample network, at its exchange: who is here, what happens, what to try. Without secrets, for anybody. */
export function frontPageRoutes(needs: ViewNeeds): readonly Route[] {
  return [
    route({
      ...open,
      path: '/',
      summary: 'The front page, in English, Hindi or Urdu',
      query: z.object({ lang: z.string().optional().catch(undefined) }),
      answers: { 200: { description: 'HTML' } },
      handle: async ({ tx, query, headers }) => {
        const language = chooseLanguage(query.lang, headers['accept-language'])
        const page = renderFrontPage(await readNetwork(tx, needs), language)
        return {
          status: 200,
          body: page,
          headers: {
            'content-type': 'text/html; charset=utf-8',
            'content-language': language,
            vary: 'accept-language',
          },
        }
      },
    }),
    route({
      ...open,
      path: '/v1/sandbox/network',
      summary: 'What the front page shows, for programs: the parties and how they are, counts, the state of the log',
      answers: { 200: { description: 'The network now', schema: networkView } },
      handle: async ({ tx }) => ({ status: 200, body: await readNetwork(tx, needs) }),
    }),
    ...assetRoutes(),
  ]
}

function assetRoutes(): readonly Route[] {
  return [
    route({
      ...open,
      path: '/front/:file',
      summary: 'Style, script and icon of the front page',
      answers: { 200: { description: 'The file' }, 404: { description: 'No such file' } },
      handle: async ({ params }) => {
        const file = params['file'] ?? ''
        const type = Object.hasOwn(FILES, file) ? FILES[file] : undefined
        if (type === undefined) return refuse('request/not-found')
        return {
          status: 200,
          body: await readFile(new URL(file, FOLDER)),
          headers: { 'content-type': type, 'cache-control': 'no-cache' },
        }
      },
    }),
    route({
      ...open,
      path: '/front/fonts/:file',
      summary: 'Noto fonts of the front page',
      answers: { 200: { description: 'WOFF2' }, 404: { description: 'No such font' } },
      handle: async ({ params }) => {
        const bytes = await readFont(params['file'] ?? '')
        return bytes === undefined
          ? refuse('request/not-found')
          : { status: 200, body: bytes, headers: { 'content-type': 'font/woff2', 'cache-control': WEEK } }
      },
    }),
  ]
}

/** The language that was asked for by link, else the best of Accept-Language (RFC 9110 §12.5.4), else English. */
export function chooseLanguage(asked: string | undefined, accept: string | undefined): Language {
  const known = (tag: string): Language | undefined =>
    LANGUAGES.find((one) => one === tag.trim().toLowerCase().split('-')[0])
  const wanted = (accept ?? '').split(',').map((item) => {
    const [tag = '', ...parameters] = item.split(';')
    const q = parameters.map((one) => /^\s*q=([\d.]+)\s*$/i.exec(one)?.[1]).find((one) => one !== undefined)
    return { language: known(tag), q: q === undefined ? 1 : Number(q) }
  })
  const best = wanted.filter(({ language, q }) => language !== undefined && q > 0).toSorted((a, b) => b.q - a.q)[0]
  return known(asked ?? '') ?? best?.language ?? 'en'
}
