import type { ReactNode } from 'react'
import { Route, Switch } from 'wouter'
import { LinkPage } from './link-page.tsx'
import { TimelinePage } from './timeline-page.tsx'

export function RecordsPage(): ReactNode {
  return (
    <Switch>
      <Route path="/records/link" component={LinkPage} />
      <Route component={TimelinePage} />
    </Switch>
  )
}
