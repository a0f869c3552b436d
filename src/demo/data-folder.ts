import { accessSync, constants, existsSync, mkdirSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'

export class DataPlaceFault extends Error {
  override readonly name = 'DataPlaceFault'
}

/** The data folder, made if it is not there; a clear sentence where it cannot be used. */
export function openDataFolder(folder: string): string {
  const path = resolve(folder)
  const fault = (why: string): DataPlaceFault =>
    new DataPlaceFault(`the data folder ${path} ${why}. Set AMANAT_DATA to a folder that can be written.`)
  try {
    makeFolder(path)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown fault'
    throw fault(code === 'EEXIST' || code === 'ENOTDIR' ? 'is a file, or lies below one' : `cannot be made (${code})`)
  }
  if (!statSync(path).isDirectory()) throw fault('is not a folder')
  try {
    accessSync(path, constants.W_OK | constants.X_OK)
  } catch {
    throw fault('cannot be written')
  }
  return path
}

/** Step by step: `mkdirSync` with `recursive` never ends on a file system that makes no folders, such as /proc (Node 24). */
function makeFolder(path: string): void {
  if (existsSync(path)) return
  makeFolder(dirname(path))
  mkdirSync(path, { mode: 0o711 })
}
