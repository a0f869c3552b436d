/** The value of one cookie of a `Cookie` header (RFC 6265 §4.2); undefined when it is not there, or there more than once. */
export function cookieOf(header: string | undefined, name: string): string | undefined {
  const found = (header ?? '')
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(`${name}=`))
  return found.length === 1 ? found[0]?.slice(name.length + 1) : undefined
}

/**
 * The name of a cookie of one host: over TLS with the prefix by which browsers hold that it was set over TLS, by this host itself and for
 * all of it (RFC 6265bis §4.1.3.2), so that a neighbour below the same domain cannot plant one.
 */
export const ofThisHost = (name: string, isSecure: boolean): string => (isSecure ? `__Host-${name}` : name)

/** A `Set-Cookie` that no script reads, that no other site makes the browser send, and that leaves over TLS only where there is TLS. */
export function setCookie(
  name: string,
  value: string,
  options: { readonly lifeMs: number; readonly isSecure: boolean },
): string {
  const life = `Max-Age=${Math.floor(options.lifeMs / 1000)}`
  return `${name}=${value}; Path=/; ${life}; HttpOnly; SameSite=Strict${options.isSecure ? '; Secure' : ''}`
}
