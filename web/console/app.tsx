import { lazy, type ReactNode, Suspense } from 'react'
import { Route, Switch } from 'wouter'
import { ButtonLink } from '../ui/button.tsx'
import { useLive } from '../ui/live.ts'
import { Page } from '../ui/page.tsx'
import { Waiting } from '../ui/state.tsx'
import { Trouble } from '../ui/trouble.tsx'
import { Frame } from './frame.tsx'
import { useConsoleSession } from './session.ts'
import { useWords } from './words.ts'

const MessagesPage = lazy(() => import('./messages/messages-page.tsx').then((m) => ({ default: m.MessagesPage })))
const PartiesPage = lazy(() => import('./parties/parties-page.tsx').then((m) => ({ default: m.PartiesPage })))
const WaitingPage = lazy(() => import('./waiting/waiting-page.tsx').then((m) => ({ default: m.WaitingPage })))
const PasswordsPage = lazy(() => import('./passwords/passwords-page.tsx').then((m) => ({ default: m.PasswordsPage })))
const PeoplePage = lazy(() => import('./people/people-page.tsx').then((m) => ({ default: m.PeoplePage })))
const BridgesPage = lazy(() => import('./bridges/bridges-page.tsx').then((m) => ({ default: m.BridgesPage })))

/** The sandbox console: every message of the network, and ways to try what happens when something breaks. */
export function App(): ReactNode {
  const { session, error, renew } = useConsoleSession()
  const { t } = useWords()
  useLive(session === undefined ? undefined : '/v1/console/live')
  if (session === undefined) {
    return (
      <main id="main">
        {error === null ? (
          <Waiting>{t('common.loading')}</Waiting>
        ) : (
          <Page title={t('console.name')}>
            <Trouble error={error} onAgain={renew} />
          </Page>
        )}
      </main>
    )
  }
  return (
    <Frame>
      <Suspense fallback={<Waiting>{t('common.loading')}</Waiting>}>
        <Switch>
          <Route path="/">
            <MessagesPage session={session} />
          </Route>
          <Route path="/parties">
            <PartiesPage session={session} />
          </Route>
          <Route path="/waiting">
            <WaitingPage session={session} />
          </Route>
          <Route path="/passwords">
            <PasswordsPage session={session} />
          </Route>
          <Route path="/people">
            <PeoplePage session={session} />
          </Route>
          <Route path="/bridges" component={BridgesPage} />
          <Route>
            <Page title={t('common.page-not-found')}>
              <p>{t('common.page-not-found-text')}</p>
              <div>
                <ButtonLink to="/" look="primary">
                  {t('common.go-home')}
                </ButtonLink>
              </div>
            </Page>
          </Route>
        </Switch>
      </Suspense>
    </Frame>
  )
}
