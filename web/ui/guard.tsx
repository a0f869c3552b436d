import { Component, type ReactNode } from 'react'
import { BROKEN_LINE, Problem } from './api.ts'
import { Trouble } from './trouble.tsx'

type Props = { readonly at: string; readonly children: ReactNode }
type Held = { readonly error: unknown; readonly at: string }

/**
 * Holds what breaks while a page is drawn, most often its script that did not come over a bad line: a sentence and a way to try again
 * instead of an empty window. Going elsewhere lets go of it.
 */
export class Guard extends Component<Props, { readonly held: Held | undefined }> {
  override state: { readonly held: Held | undefined } = { held: undefined }

  static getDerivedStateFromError(error: unknown): { readonly held: Held } {
    return { held: { error, at: '' } }
  }

  /** An error stays with the address at which it came. */
  static getDerivedStateFromProps({ at }: Props, { held }: { readonly held: Held | undefined }) {
    if (held === undefined || held.at === at) return null
    return { held: held.at === '' ? { ...held, at } : undefined }
  }

  override render(): ReactNode {
    const { held } = this.state
    if (held === undefined) return this.props.children
    // A script that failed to load stays failed until the page is loaded anew.
    return <Trouble error={lineOf(held.error)} onAgain={() => location.reload()} />
  }
}

/** What browsers say when a page's script or its style did not come: it was the line. */
function lineOf(error: unknown): unknown {
  const isLine = error instanceof Error && /import|preload/i.test(error.message)
  return isLine ? new Problem(0, { code: BROKEN_LINE }) : error
}
