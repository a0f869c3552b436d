import { Component, type ReactNode } from 'react'
import { BROKEN_LINE, Problem } from './api.ts'
import { Trouble } from './trouble.tsx'

type Props = { readonly children: ReactNode }
type State = { readonly error: unknown }

/** A file of the app that did not come: browsers have no kind of error of its own for that, but all name the import. */
function isLineFault(error: unknown): boolean {
  return error instanceof TypeError && /import|module script/i.test(error.message)
}

/** Where a page breaks, or its file does not come over the line, a sentence stands in its place and a way to try again; never a blank. */
export class Boundary extends Component<Props, State> {
  override state: State = { error: undefined }

  static getDerivedStateFromError(error: unknown): State {
    return { error: isLineFault(error) ? new Problem(0, { code: BROKEN_LINE }) : error }
  }

  override render(): ReactNode {
    if (this.state.error === undefined) return this.props.children
    return <Trouble error={this.state.error} onAgain={() => window.location.reload()} />
  }
}
