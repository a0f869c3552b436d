import { ConfigFault, readConfigFile } from './config.ts'

type Env = Readonly<Record<string, string | undefined>>

/** Where the facility of these settings listens on this machine, and the token of its operator. */
export function readFacility(file: string, env: Env) {
  if (readConfigFile(file, env).role !== 'facility')
    throw new ConfigFault(`${file} is of an exchange; staff work at facilities`)
  return readParty(file, env)
}

/** Where the party of these settings listens on this machine, and the token of its operator. */
export function readParty(file: string, env: Env) {
  const { name, listen, operatorToken, publicUrl, keysFolder, tls } = readConfigFile(file, env)
  const host = listen.host === '0.0.0.0' || listen.host === '::' ? '127.0.0.1' : listen.host
  // Its certificate is for the name by which others reach it.
  const url = tls === undefined ? `http://${host.includes(':') ? `[${host}]` : host}:${listen.port}` : publicUrl
  return { url, name, operatorToken, publicUrl, keysFolder }
}
