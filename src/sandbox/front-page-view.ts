import { ENGLISH } from './front-page-english.ts'
import { HINDI } from './front-page-hindi.ts'
import { URDU } from './front-page-urdu.ts'
import { DOCS, LANGUAGE_FORMS, LANGUAGES, type Language, STEPS, type Words } from './front-page-words.ts'
import { type Html, html, NOTHING } from './html.ts'
import type { NetworkView } from './network-view.ts'
import type { PartyState } from './watch.ts'

export const WORDS: Readonly<Record<Language, Words>> = { en: ENGLISH, hi: HINDI, ur: URDU }

const DOC_FILES = {
  start: 'docs/start.md',
  integrate: 'docs/integrate/abdm.md',
  log: 'docs/log.md',
  architecture: 'ARCHITECTURE.md',
} as const

/** 1,23,456 in every language: the digits that all readers know. */
const INDIAN_NUMBERS = new Intl.NumberFormat('en-IN')

type Page = {
  readonly words: Words
  readonly view: NetworkView
  readonly language: Language
  readonly n: (value: number) => string
}

/** The front page as one HTML document. It is whole without its script, which only fetches it anew and swaps what changed. */
export function renderFrontPage(view: NetworkView, language: Language): string {
  const { dir } = LANGUAGE_FORMS[language]
  const words = WORDS[language]
  const page: Page = { words, view, language, n: (value) => INDIAN_NUMBERS.format(value) }
  return html`<!doctype html>
<html lang="${language}" dir="${dir}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${words.title} · ${words.product}</title>
<link rel="icon" href="/front/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/front/front.css">
<script src="/front/front.js" defer></script>
</head>
<body>
<a class="skip" href="#main">${words.skip}</a>
${header(page)}
<main id="main" tabindex="-1">
<p class="lost" id="lost" role="alert" hidden>${icon('clock')}<span>${words.lost}</span></p>
${summary(page)}
${parties(page)}
${happened(page)}
${log(page)}
${tryNext(page)}
</main>
<footer class="foot"><p>${words.invented}</p><noscript><p>${words.withoutScript}</p></noscript></footer>
</body>
</html>
`.html
}

function header({ words, language }: Page): Html {
  const link = (one: Language): Html =>
    html`<li><a href="/?lang=${one}" lang="${one}" hreflang="${one}" dir="${LANGUAGE_FORMS[one].dir}"${one === language ? html` aria-current="true"` : NOTHING}>${LANGUAGE_FORMS[one].name}</a></li>`
  return html`<header class="head"><p class="product">${icon('mark')}<span>${words.product}</span></p>
<nav aria-label="${words.languages}"><ul class="languages">${LANGUAGES.map(link)}</ul></nav></header>`
}

function summary(page: Page): Html {
  const { words, view, n } = page
  // What does not say how it is may well be running: only what should and does not is counted as missing.
  const missing = view.parties.filter(({ state }) => state === 'down' || state === 'not-ready').length
  const all = view.parties.length
  const said = missing === 0 ? words.allUp : words.notReady(n(missing), n(all))
  return html`<div class="summary"><h1 id="summary" data-live aria-live="polite"><span class="${missing === 0 ? 'up' : 'not-ready'}">${icon(missing === 0 ? 'up' : 'not-ready')}</span><span>${said}</span></h1>
<p class="lead">${words.lead}</p>
${doors(page)}
<p class="next"><a href="#next">${words.tryNext}</a></p></div>`
}

/** What people can open here. */
function doors({ words, view }: Page): Html {
  const app = view.parties[0]?.app
  const link = (href: string, text: string): Html => html`<a class="door" href="${href}">${text}</a>`
  return html`<p class="doors">${app === undefined ? NOTHING : link(app, words.openApp)}${view.console === undefined ? NOTHING : link(view.console, words.openConsole)}</p>`
}

function parties({ words, view, n }: Page): Html {
  const desk = ({ kind, app }: NetworkView['parties'][number]): Html =>
    kind === 'exchange' || app === undefined ? NOTHING : html`<p><a href="${app}">${words.openDesk}</a></p>`
  const row = (party: NetworkView['parties'][number]): Html => {
    const { id, name, kind, url, state } = party
    return html`<li class="party"><div class="who"><h3><bdi>${name}</bdi></h3><p class="muted">${words.kinds[kind]}</p>${desk(party)}</div>
<div class="where"><p class="id"><span class="label">${words.id}</span> <code dir="ltr">${id}</code></p>
<p class="url"><span class="label">${words.address}</span> <code dir="ltr">${url.replace(/^http:\/\//, '')}</code></p></div>
<p class="state ${state}" id="state-${id}" data-live>${icon(state)}<span>${words.states[state]}</span></p></li>`
  }
  const silent = view.parties.some(({ state }) => state === 'silent')
  return html`<section aria-labelledby="parties"><h2 id="parties">${words.parties}</h2><p class="muted">${words.partiesText}</p>
<ul class="parties">${view.parties.map(row)}</ul>
<div id="unlisted" data-live>${view.unlisted === 0 ? NOTHING : html`<p class="muted">${words.unlisted(n(view.unlisted))}</p>`}</div>
<div id="silent" data-live>${silent ? html`<p class="muted small">${words.silentText}</p>` : NOTHING}</div></section>`
}

function happened({ words, view, n }: Page): Html {
  const { consentRequests: asked, dataRequests: data } = view
  const part = (mark: Mark, value: number, word: string): Html =>
    value === 0 ? NOTHING : html`<li class="${mark}">${icon(mark)}<span>${words.counted(n(value), word)}</span></li>`
  const { REQUESTED, GRANTED, DENIED, REVOKED, EXPIRED } = words.requests.statuses
  const requestParts = [
    part('not-ready', asked.REQUESTED, REQUESTED),
    part('up', asked.GRANTED, GRANTED),
    part('down', asked.DENIED, DENIED),
    part('stopped', asked.REVOKED, REVOKED),
    part('unknown', asked.EXPIRED, EXPIRED),
  ]
  const dataParts = [
    part('up', data.delivered, words.data.delivered),
    part('not-ready', data.underWay, words.data.underWay),
    part('down', data.failed, words.data.failed),
  ]
  const requests = Object.values(asked).reduce((sum, value) => sum + value, 0)
  const transfers = data.delivered + data.underWay + data.failed
  const number = (id: string, title: string, value: number, more: Html): Html =>
    html`<div class="number"><dt>${title}</dt><dd><strong id="${id}" data-live>${n(value)}</strong><div id="${id}-more" data-live>${more}</div></dd></div>`
  const text = (words: string): Html => html`<p class="muted">${words}</p>`
  const parts = (
    sum: number,
    { text: said, none }: { readonly text: string; readonly none: string },
    list: readonly Html[],
  ): Html => (sum === 0 ? text(none) : html`${text(said)}<ul class="parts">${list}</ul>`)
  return html`<section aria-labelledby="happened"><h2 id="happened">${words.happened}</h2><dl class="numbers">
${number('patients', words.patients.title, view.patients, text(words.patients.text))}
${number('contexts', words.careContexts.title, view.careContexts, text(words.careContexts.text))}
${number('requests', words.requests.title, requests, parts(requests, words.requests, requestParts))}
${number('data', words.data.title, transfers, parts(transfers, words.data, dataParts))}
</dl></section>`
}

function log({ words, view, language, n }: Page): Html {
  const { entries, signedAt, cosignedBy, witnesses } = view.log
  const complete = cosignedBy >= witnesses
  const state =
    signedAt === undefined
      ? html`<p class="none">${words.log.empty}</p>`
      : html`<p class="entries"><strong>${n(entries)}</strong> ${words.log.entries}</p>
<ul class="parts"><li class="up">${icon('up')}<span>${words.log.signed(agoOf(view.at, signedAt, language, words))}</span></li>
<li class="${complete ? 'up' : 'not-ready'}">${icon(complete ? 'up' : 'not-ready')}<span>${witnesses === 0 ? words.log.notCosigned : words.log.cosigned(n(cosignedBy), n(witnesses))}</span></li></ul>`
  return html`<section class="log" aria-labelledby="log"><div><h2 id="log">${words.log.title}</h2><p class="muted">${words.log.text}</p>
<p><a href="/log/checkpoint">${words.log.open}</a></p></div><div id="log-state" data-live>${state}</div></section>`
}

/** `5 seconds ago`, in the page's language. */
function agoOf(at: string, signedAt: string, language: Language, words: Words): string {
  const seconds = Math.round((Date.parse(at) - Date.parse(signedAt)) / 1000)
  if (seconds < 2) return words.log.justNow
  const format = new Intl.RelativeTimeFormat(LANGUAGE_FORMS[language].locale, { numeric: 'always' })
  if (seconds < 60) return format.format(-seconds, 'second')
  if (seconds < 3600) return format.format(-Math.floor(seconds / 60), 'minute')
  return seconds < 86_400
    ? format.format(-Math.floor(seconds / 3600), 'hour')
    : format.format(-Math.floor(seconds / 86_400), 'day')
}

function tryNext({ words, view }: Page): Html {
  const own = view.parties[0]
  const commands: Readonly<Record<(typeof STEPS)[number], string>> = {
    story: 'npm run story',
    messages: 'npx amanat sandbox messages --follow',
    patients: 'npx amanat sandbox patients',
    token: `npx amanat sandbox token \\\n  --patient asha.rao@${own?.id ?? ''}`,
    bridge:
      'npx amanat sandbox bridge add \\\n  --id IN0000000001 \\\n  --name "My Hospital" \\\n  --url http://127.0.0.1:5000',
    verify: `npx amanat log verify ${own?.url ?? ''}/log`,
  }
  const step = (key: (typeof STEPS)[number]): Html =>
    html`<li class="step"><h3>${words.steps[key].title}</h3><p class="muted">${words.steps[key].text}</p><div class="command" dir="ltr"><code>${unbrokenWords(commands[key])}</code></div></li>`
  return html`<section aria-labelledby="next"><h2 id="next">${words.tryNext}</h2><p class="muted">${words.tryText}</p>
<ol class="steps" data-copy="${words.copy}" data-copied="${words.copied}">${STEPS.map(step)}</ol></section>
<section aria-labelledby="docs"><h2 id="docs">${words.docs}</h2><p class="muted">${words.docsText}</p>
<ul class="docs">${DOCS.map((key) => html`<li><span>${words.docNames[key]}</span> <code dir="ltr">${DOC_FILES[key]}</code></li>`)}</ul></section>`
}

/** A narrow box breaks a command between its words, not at a hyphen; copied, it is the same text. */
function unbrokenWords(command: string): readonly Html[] {
  return command
    .split(/(\s+)/)
    .map((word) => (/\S/.test(word) ? html`<span class="word">${word}</span>` : html`${word}`))
}

type Mark = PartyState | 'stopped' | 'clock' | 'mark'

/** Drawn by us, 20 units wide, in the colour of the words beside them. */
const SHAPES: Readonly<Record<Mark, Html>> = {
  up: html`<circle cx="10" cy="10" r="8"/><path d="m6.5 10.3 2.4 2.4 4.8-5.2"/>`,
  'not-ready': html`<circle cx="10" cy="10" r="8"/><path d="M10 5.5V10l3 2"/>`,
  clock: html`<circle cx="10" cy="10" r="8"/><path d="M10 5.5V10l3 2"/>`,
  down: html`<circle cx="10" cy="10" r="8"/><path d="m7 7 6 6m0-6-6 6"/>`,
  stopped: html`<circle cx="10" cy="10" r="8"/><path d="M7.5 7.5h5v5h-5z"/>`,
  silent: html`<circle cx="10" cy="10" r="8"/><path d="M6.5 10h7"/>`,
  unknown: html`<circle cx="10" cy="10" r="8" stroke-dasharray="3 2.6"/>`,
  mark: html`<path d="M4 8.5 10 3l6 5.5V17H4z"/><path d="M7.5 12.2 9.4 14l3.4-3.8"/>`,
}

function icon(mark: Mark): Html {
  return html`<svg class="icon" viewBox="0 0 20 20" width="20" height="20" aria-hidden="true" focusable="false">${SHAPES[mark]}</svg>`
}
