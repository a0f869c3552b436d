import { spawn } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import { createRequire } from 'node:module'
import os from 'node:os'
import path from 'node:path'
import { type Browser, chromium } from 'playwright-core'

/** Starts the Chromium that the development dependencies bring: nothing to install by hand, no library of the host needed. */

const require = createRequire(import.meta.url)
/** The package's own `args` make the browser one process without web security: not a browser that a test should trust. */
const ARGS = ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--font-render-hinting=none']

/** A headless browser; `close` it in `after`. */
export async function startBrowser(): Promise<Browser> {
  const folder = await unpackedBrowser()
  return chromium.launch({
    executablePath: path.join(folder, 'chromium'),
    args: ARGS,
    env: {
      ...process.env,
      HOME: folder,
      FONTCONFIG_PATH: path.join(folder, 'fonts'),
      LD_LIBRARY_PATH: path.join(folder, 'al2023', 'lib'),
    },
  })
}

/** Unpacked once for each version into the temporary folder; moved into place whole, so that two runs cannot disturb each other. */
async function unpackedBrowser(): Promise<string> {
  const folder = path.join(os.tmpdir(), `amanat-chromium-${packageVersion()}-${process.arch}-${os.userInfo().uid}`)
  if (fs.existsSync(folder)) return folder
  const fresh = fs.mkdtempSync(`${folder}-`)
  await unpackInto(fresh)
  fs.writeFileSync(path.join(fresh, 'fonts', 'fonts.conf'), fontSettings(folder))
  try {
    fs.renameSync(fresh, folder)
  } catch (error) {
    if (!fs.existsSync(folder)) throw error
    fs.rmSync(fresh, { recursive: true })
  }
  return folder
}

/** Only the font of the package, as on a machine without fonts: what a page needs it must bring. */
function fontSettings(folder: string): string {
  return `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir>${folder}/fonts</dir><cachedir>${folder}/font-cache</cachedir></fontconfig>
`
}

function packageVersion(): string {
  const file = path.join(path.dirname(require.resolve('@sparticuz/chromium')), '..', 'package.json')
  return (JSON.parse(fs.readFileSync(file, 'utf8')) as { version: string }).version
}

/** In a process of its own: the package unpacks to TMPDIR, which the other tests of this process use for themselves. */
async function unpackInto(folder: string): Promise<void> {
  const program = `
    import path from 'node:path'
    import chromium, { inflate } from '@sparticuz/chromium'
    await chromium.executablePath()
    await inflate(path.join(process.argv[1], 'al2023.tar.br'))`
  const bin = path.join(path.dirname(require.resolve('@sparticuz/chromium')), '..', 'bin')
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program, bin], {
    cwd: path.join(import.meta.dirname, '..', '..'),
    env: { ...process.env, TMPDIR: folder },
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  const [code] = (await once(child, 'exit')) as [number | null]
  if (code !== 0) throw new Error(`unpacking Chromium into ${folder} failed with exit code ${String(code)}`)
}
