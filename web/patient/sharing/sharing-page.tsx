import type { ReactNode } from 'react'
import { Route, Switch } from 'wouter'
import { Overview } from './overview.tsx'
import { SharedPage } from './shared-page.tsx'
import { StopOutcome } from './stop-outcome.tsx'

/** My sharing: all of it, or what I allowed at one time. */
export function SharingPage(): ReactNode {
  return (
    <StopOutcome>
      <Switch>
        <Route path="/sharing" component={Overview} />
        <Route path="/sharing/:request">{({ request }) => <SharedPage key={request} id={request} />}</Route>
      </Switch>
    </StopOutcome>
  )
}
