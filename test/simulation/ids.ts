/** A UUID as text. */
export type Id = `${string}-${string}-${string}-${string}-${string}`

/** A UUID of version 4 from 16 random bytes. */
export function idText(bytes: Uint8Array): Id {
  const hex = Buffer.from(bytes).toString('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}
