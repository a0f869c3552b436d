import { lazy, type ReactNode, Suspense } from 'react'
import { Route, Switch } from 'wouter'
import { ButtonLink } from '../ui/button.tsx'
import { Page } from '../ui/page.tsx'
import { Waiting } from '../ui/state.tsx'
import { Trouble } from '../ui/trouble.tsx'
import { Frame } from './frame.tsx'
import { SendQueued } from './inbox/send-queued.tsx'
import { usePatientSession } from './session.ts'
import { useWords } from './words.ts'

const SignInPage = lazy(() => import('./signin/sign-in-page.tsx').then((m) => ({ default: m.SignInPage })))
const InboxPage = lazy(() => import('./inbox/inbox-page.tsx').then((m) => ({ default: m.InboxPage })))
const RequestPage = lazy(() => import('./inbox/request-page.tsx').then((m) => ({ default: m.RequestPage })))
const SharingPage = lazy(() => import('./sharing/sharing-page.tsx').then((m) => ({ default: m.SharingPage })))
const LookedPage = lazy(() => import('./looked/looked-page.tsx').then((m) => ({ default: m.LookedPage })))
const RecordsPage = lazy(() => import('./records/records-page.tsx').then((m) => ({ default: m.RecordsPage })))
const SharePage = lazy(() => import('./share/share-page.tsx').then((m) => ({ default: m.SharePage })))
const ChoicesPage = lazy(() => import('./choices/choices-page.tsx').then((m) => ({ default: m.ChoicesPage })))

/** The patient app: sign in first, then one page at a time. Pages are loaded when they are asked for. */
export function App(): ReactNode {
  const { session, error, renew } = usePatientSession()
  const { t } = useWords()
  if (error !== null && session === undefined) {
    return (
      <Frame>
        <Trouble error={error} onAgain={() => void renew()} />
      </Frame>
    )
  }
  if (session === undefined) return null
  return (
    <Frame {...(session === null ? {} : { session })}>
      <Suspense fallback={<Waiting>{t('common.loading')}</Waiting>}>
        {session === null ? <SignInPage /> : <Pages />}
        {session === null ? null : <SendQueued />}
      </Suspense>
    </Frame>
  )
}

/** Areas with several pages have their own switch inside: `/sharing/*` belongs to the sharing area. */
function Pages(): ReactNode {
  return (
    <Switch>
      <Route path="/" component={InboxPage} />
      <Route path="/requests/:id">{({ id }) => <RequestPage key={id} id={id} />}</Route>
      <Route path="/sharing/*?" component={SharingPage} />
      <Route path="/looked/*?" component={LookedPage} />
      <Route path="/records/*?" component={RecordsPage} />
      <Route path="/share" component={SharePage} />
      <Route path="/choices/*?" component={ChoicesPage} />
      <Route path="/sign-in" component={InboxPage} />
      <Route component={NoSuchPage} />
    </Switch>
  )
}

function NoSuchPage(): ReactNode {
  const { t } = useWords()
  return (
    <Page title={t('common.page-not-found')}>
      <p>{t('common.page-not-found-text')}</p>
      <div>
        <ButtonLink to="/" look="primary">
          {t('common.go-home')}
        </ButtonLink>
      </div>
    </Page>
  )
}
