import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A time-stamp authority (RFC 3161) of OpenSSL, on this machine. */
export type TestAuthority = {
  readonly ca: string
  /** Answers a TimeStampReq with a TimeStampResp. */
  readonly answer: (request: Uint8Array) => Buffer
  readonly close: () => void
}

const CONFIG = `[req]
distinguished_name = name
prompt = no
x509_extensions = root
[name]
CN = Test root
[root]
basicConstraints = critical, CA:true
keyUsage = critical, keyCertSign
[stamps]
extendedKeyUsage = critical, timeStamping
keyUsage = critical, digitalSignature
[tsa]
default_tsa = ours
[ours]
serial = serial
signer_cert = tsa.pem
signer_key = tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
ess_cert_id_alg = sha256
`

/** Makes one with keys of its own; undefined when there is no OpenSSL here. */
export function openTestAuthority(): TestAuthority | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'amanat-tsa-'))
  const openssl = (...args: string[]): unknown => execFileSync('openssl', args, { cwd: folder, stdio: 'ignore' })
  const close = (): void => rmSync(folder, { recursive: true, force: true })
  try {
    openssl('version')
  } catch {
    close()
    return undefined
  }
  writeFileSync(join(folder, 'c'), CONFIG)
  writeFileSync(join(folder, 'serial'), '01')
  for (const name of ['ca', 'tsa'])
    openssl('ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', `${name}.key`)
  openssl('req', '-x509', '-new', '-key', 'ca.key', '-out', 'ca.pem', '-days', '30', '-config', 'c')
  openssl('req', '-new', '-key', 'tsa.key', '-out', 'tsa.csr', '-subj', '/CN=Test time-stamps', '-config', 'c')
  const sign = ['-req', '-in', 'tsa.csr', '-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '30']
  openssl('x509', ...sign, '-out', 'tsa.pem', '-extfile', 'c', '-extensions', 'stamps')
  return {
    ca: readFileSync(join(folder, 'ca.pem'), 'utf8'),
    answer: (request) => {
      writeFileSync(join(folder, 'q'), request)
      openssl('ts', '-reply', '-config', 'c', '-queryfile', 'q', '-out', 'r')
      return readFileSync(join(folder, 'r'))
    },
    close,
  }
}
