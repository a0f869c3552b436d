declare module '*.module.css' {
  const names: Readonly<Record<string, string>>
  export default names
}
declare module '*.css'

interface ImportMeta {
  /** Vite: files by pattern, each loaded when asked for. */
  glob(patterns: readonly string[], options: { readonly import: 'default' }): Record<string, () => Promise<unknown>>
}
