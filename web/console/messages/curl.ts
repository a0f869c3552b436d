/** Headers that curl makes itself, or that say nothing about the message. */
const OWN = /^(host|connection|content-length|accept-encoding|transfer-encoding|user-agent|keep-alive|sec-.*)$/
const CUT = /… \(\d+ characters\)$/

/** A shell command that sends the message once more, with `$TOKEN` where a token was cut, and a fresh TIMESTAMP. */
export function curlOf(message: {
  readonly method: string
  readonly base: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string | undefined
}): string {
  const headers = Object.entries(message.headers)
    .filter(([name]) => !OWN.test(name))
    .map(([name, value]) => `  -H ${doubleQuoted(`${name}: `)}${headerValue(name, value)}`)
  const body = message.body === undefined ? [] : [`  --data-binary ${singleQuoted(message.body)}`]
  return [`curl -X ${message.method} ${singleQuoted(addressOf(message))}`, ...headers, ...body].join(' \\\n')
}

/** ABDM's paths at an exchange stand below `/api/hiecm`, which the diagram does not show. */
function addressOf({ base, path }: { readonly base: string; readonly path: string }): string {
  return /^\/(api|v1)\//.test(path) ? `${base}${path}` : `${base}/api/hiecm${path}`
}

function headerValue(name: string, value: string): string {
  if (name === 'timestamp') return doubleQuoted('$(date -u +%Y-%m-%dT%H:%M:%S.000Z)', true)
  if (CUT.test(value)) return doubleQuoted(value.startsWith('Bearer ') ? 'Bearer $TOKEN' : '$TOKEN', true)
  return doubleQuoted(value)
}

const singleQuoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`
const doubleQuoted = (text: string, isShell = false): string => `"${isShell ? text : text.replace(/[\\"$`]/g, '\\$&')}"`
