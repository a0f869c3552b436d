/** Hands a file to the browser, which saves it where the person wants it. */
export function saveFile(name: string, type: string, parts: readonly string[]): void {
  const url = URL.createObjectURL(new Blob([...parts], { type }))
  const link = document.createElement('a')
  link.href = url
  link.download = name
  link.click()
  // The browser has taken the bytes when the click returns to it.
  setTimeout(() => URL.revokeObjectURL(url), 10_000)
}
