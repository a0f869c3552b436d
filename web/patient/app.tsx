import { lazy, type ReactNode, Suspense, useEffect } from 'react'
import { Route, Switch } from 'wouter'
import { BROKEN_LINE } from '../ui/api.ts'
import { ButtonLink } from '../ui/button.tsx'
import { useLive } from '../ui/live.ts'
import { useOnline } from '../ui/online.ts'
import { Page } from '../ui/page.tsx'
import { useSessionEnd } from '../ui/session.ts'
import { Waiting } from '../ui/state.tsx'
import { Trouble } from '../ui/trouble.tsx'
import { Frame } from './frame.tsx'
import { NoLine } from './inbox/no-line.tsx'
import { SendQueued } from './inbox/send-queued.tsx'
import { type PatientSession, usePatientSession } from './session.ts'
import { useActingFor } from './signin/acting.ts'
import { useOwnLanguage } from './signin/language.ts'
import { useIsOfferOpen } from './signin/offer.ts'
import { StepUpProvider } from './signin/step-up.tsx'
import { useWords } from './words.ts'

const SignInPage = lazy(() => import('./signin/sign-in-page.tsx').then((m) => ({ default: m.SignInPage })))
const PasskeyOffer = lazy(() => import('./signin/passkey-offer.tsx').then((m) => ({ default: m.PasskeyOffer })))
const loadInbox = () => import('./inbox/inbox-page.tsx').then((m) => ({ default: m.InboxPage }))
const InboxPage = lazy(loadInbox)
const RequestPage = lazy(() => import('./inbox/request-page.tsx').then((m) => ({ default: m.RequestPage })))
const SharingPage = lazy(() => import('./sharing/sharing-page.tsx').then((m) => ({ default: m.SharingPage })))
const LookedPage = lazy(() => import('./looked/looked-page.tsx').then((m) => ({ default: m.LookedPage })))
const RecordsPage = lazy(() => import('./records/records-page.tsx').then((m) => ({ default: m.RecordsPage })))
const SharePage = lazy(() => import('./share/share-page.tsx').then((m) => ({ default: m.SharePage })))
const AccountPage = lazy(() => import('./signin/account-page.tsx').then((m) => ({ default: m.AccountPage })))
const ClosedPage = lazy(() => import('./choices/closed-page.tsx').then((m) => ({ default: m.ClosedPage })))
const ChoicesPage = lazy(() => import('./choices/choices-page.tsx').then((m) => ({ default: m.ChoicesPage })))

/** The patient app: sign in first, then one page at a time. Pages are loaded when they are asked for. */
export function App(): ReactNode {
  const { session, error, renew } = usePatientSession()
  const { t } = useWords()
  useSessionEnd()
  const isOnline = useOnline()
  if (session === undefined) {
    const again = (): void => void renew()
    return (
      <Frame>
        {!isOnline || error?.code === BROKEN_LINE ? (
          <NoLine error={error} onAgain={again} />
        ) : error === null ? (
          <Waiting>{t('common.loading')}</Waiting>
        ) : (
          <Trouble error={error} says={{ 'people/deactivated': t('signin.deactivated') }} onAgain={again} />
        )}
      </Frame>
    )
  }
  return (
    <Frame {...(session === null ? {} : { session })}>
      <Suspense fallback={<Waiting>{t('common.loading')}</Waiting>}>
        {session === null ? <SignedOut /> : <SignedIn key={session.patient.abhaAddress} session={session} />}
      </Suspense>
    </Frame>
  )
}

/** The door; who has just closed her account reads that first. */
function SignedOut(): ReactNode {
  return (
    <Switch>
      <Route path="/closed" component={ClosedPage} />
      <Route component={SignInPage} />
    </Switch>
  )
}

function SignedIn({ session }: { readonly session: PatientSession }): ReactNode {
  const acting = useActingFor()
  const isOffering = useIsOfferOpen()
  useOwnLanguage(session)
  useLive('/v1/me/live')
  // A decision ends on the first page, also when the line has gone meanwhile: it is here before it is needed.
  useEffect(() => void loadInbox().catch(() => undefined), [])
  if (isOffering) return <PasskeyOffer />
  return (
    <StepUpProvider key={acting ?? ''}>
      <Pages />
      <SendQueued />
    </StepUpProvider>
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
      <Route path="/choices/account" component={AccountPage} />
      <Route path="/choices/*?" component={ChoicesPage} />
      <Route path="/closed" component={ClosedPage} />
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
