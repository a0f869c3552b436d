/**
 * `npm run build:web`: bundles the apps of web/ into web/dist, with compressed twins of every text file. `amanat` runs it by
 * itself when what lies there is older than its sources (src/http/web-build.ts).
 */
import fs from 'node:fs'
import path from 'node:path'
import zlib from 'node:zlib'
import { build, type Plugin } from 'vite'
import { currentStamp, STAMP_FILE, WEB_DIST, type WebStamp } from '../src/http/web-build.ts'

const ROOT = path.join(import.meta.dirname, '..')
const WEB = path.join(ROOT, 'web')
const APPS = ['patient', 'desk', 'console', 'verify'] as const
const TEXT = /\.(js|css|html|svg|json|webmanifest)$/

// What is tested is what people get: with the NODE_ENV of a test the bundle would hold another React.
process.env['NODE_ENV'] = 'production'

/** Builds into a fresh folder and puts it in place whole: a reader never sees half a build. */
async function main(): Promise<void> {
  const fresh = fs.mkdtempSync(path.join(WEB, '.build-'))
  try {
    const modules = await bundle(fresh)
    fs.copyFileSync(
      path.join(WEB, 'patient', 'manifest.webmanifest'),
      path.join(fresh, 'patient', 'manifest.webmanifest'),
    )
    fs.copyFileSync(path.join(WEB, 'patient', 'icon.svg'), path.join(fresh, 'patient', 'icon.svg'))
    compressAll(fresh)
    const stamp: WebStamp = currentStamp(modules)
    fs.writeFileSync(path.join(fresh, STAMP_FILE), JSON.stringify(stamp))
    fs.chmodSync(fresh, 0o755)
    putInPlace(fresh)
  } finally {
    fs.rmSync(fresh, { recursive: true, force: true })
  }
}

/** Two builds at once end with one of them in place. */
function putInPlace(fresh: string): void {
  const old = `${fresh}-old`
  try {
    if (fs.existsSync(WEB_DIST)) fs.renameSync(WEB_DIST, old)
    fs.renameSync(fresh, WEB_DIST)
  } catch (error) {
    if (!fs.existsSync(path.join(WEB_DIST, STAMP_FILE))) throw error
  } finally {
    fs.rmSync(old, { recursive: true, force: true })
  }
}

/** Runs Vite; answers every file of ours that went into the bundle, relative to the root. */
async function bundle(outDir: string): Promise<readonly string[]> {
  const modules = new Set<string>()
  const listen: Plugin = {
    name: 'amanat-modules',
    moduleParsed: ({ id }) => {
      const file = path.relative(ROOT, id.split('?')[0] ?? id)
      if (!file.startsWith('..') && !file.startsWith('node_modules') && fs.existsSync(path.join(ROOT, file)))
        modules.add(file)
    },
  }
  const keep: Plugin = {
    name: 'amanat-patient-files',
    generateBundle(_options, output) {
      this.emitFile({
        type: 'asset',
        fileName: 'patient-files.json',
        source: JSON.stringify(filesOfPatientApp(output)),
      })
    },
  }
  await build({
    configFile: false,
    root: WEB,
    base: '/web/',
    logLevel: 'warn',
    publicDir: false,
    plugins: [listen, keep],
    oxc: { jsx: { runtime: 'automatic' } },
    build: {
      outDir,
      emptyOutDir: true,
      target: ['chrome109', 'firefox115', 'safari16.4'],
      // Fonts as data: would break the Content-Security-Policy, and load for everybody.
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
      reportCompressedSize: false,
      rolldownOptions: {
        // Libraries mark what runs in a browser; here everything does.
        onwarn: (warning, say) => {
          if (warning.code !== 'MODULE_LEVEL_DIRECTIVE') say(warning)
        },
        input: {
          ...Object.fromEntries(APPS.map((app) => [app, path.join(WEB, app, 'index.html')])),
          ...workers(),
        },
        output: {
          entryFileNames: (chunk) => (chunk.name.endsWith('-worker') ? '[name].js' : 'assets/[name]-[hash].js'),
          codeSplitting: {
            groups: [
              { name: 'react', test: /node_modules\/(react|react-dom|scheduler)\//, priority: 20 },
              {
                debugName: 'words',
                name: (id: string) => {
                  const [, app, language] = /web\/(\w+)\/words\/(\w+)\//.exec(id) ?? []
                  return app === undefined ? null : `words-${app}-${language}`
                },
                priority: 30,
              },
            ],
          },
        },
      },
    },
  })
  return [...modules].toSorted()
}

type Output = Parameters<Extract<Plugin['generateBundle'], (...args: never) => unknown>>[1]

/** Addresses of all scripts and styles of the patient app, its later pages too, without words and fonts: what its worker keeps. */
function filesOfPatientApp(output: Output): readonly string[] {
  const entry = Object.values(output).find((one) => one.type === 'chunk' && one.isEntry && one.name === 'patient')
  const found = new Set<string>()
  const visit = (file: string): void => {
    const chunk = output[file]
    if (found.has(file) || chunk === undefined || chunk.type !== 'chunk' || chunk.name.startsWith('words-')) return
    found.add(file)
    for (const style of chunk.viteMetadata?.importedCss ?? []) found.add(style)
    for (const next of [...chunk.imports, ...chunk.dynamicImports]) visit(next)
  }
  if (entry !== undefined) visit(entry.fileName)
  return [...found].toSorted().map((file) => `/web/${file}`)
}

/** Service workers keep their names: the browser finds a newer one by fetching the same address. */
function workers(): Record<string, string> {
  const file = path.join(WEB, 'patient', 'service-worker.ts')
  return fs.existsSync(file) ? { 'patient-worker': file } : {}
}

function compressAll(folder: string): void {
  for (const name of fs.readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    const file = path.join(folder, name)
    if (!TEXT.test(file) || !fs.statSync(file).isFile()) continue
    const bytes = fs.readFileSync(file)
    const brotli = { params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 9 } }
    fs.writeFileSync(`${file}.br`, zlib.brotliCompressSync(bytes, brotli))
    fs.writeFileSync(`${file}.gz`, zlib.gzipSync(bytes, { level: 9 }))
  }
}

await main()
