import { lazy, type ReactNode, Suspense, useState } from 'react'
import { Route, Switch } from 'wouter'
import { ButtonLink } from '../ui/button.tsx'
import { useLive } from '../ui/live.ts'
import { Page } from '../ui/page.tsx'
import { Waiting } from '../ui/state.tsx'
import { Trouble } from '../ui/trouble.tsx'
import { Frame } from './frame.tsx'
import { useStaffSession } from './session.ts'
import { StepUpProvider } from './staff/step-up.tsx'
import { useWords } from './words.ts'

const SignInPage = lazy(() => import('./staff/sign-in-page.tsx').then((m) => ({ default: m.SignInPage })))
const StaffPage = lazy(() => import('./staff/staff-page.tsx').then((m) => ({ default: m.StaffPage })))
const JoinPage = lazy(() => import('./staff/join-page.tsx').then((m) => ({ default: m.JoinPage })))
const SsoPage = lazy(() => import('./staff/sso-door.tsx').then((m) => ({ default: m.SsoPage })))
const AccountPage = lazy(() => import('./staff/account-page.tsx').then((m) => ({ default: m.AccountPage })))
const TodayPage = lazy(() => import('./today/today-page.tsx').then((m) => ({ default: m.TodayPage })))
const PatientsPage = lazy(() => import('./patients/patients-page.tsx').then((m) => ({ default: m.PatientsPage })))
const PatientPage = lazy(() => import('./patients/patient-page.tsx').then((m) => ({ default: m.PatientPage })))
const ConsentsPage = lazy(() => import('./consents/consents-page.tsx').then((m) => ({ default: m.ConsentsPage })))
const ReadingPage = lazy(() => import('./reading/reading-page.tsx').then((m) => ({ default: m.ReadingPage })))
const ProviderPage = lazy(() => import('./provider/provider-page.tsx').then((m) => ({ default: m.ProviderPage })))
const AccessPage = lazy(() => import('./access/access-page.tsx').then((m) => ({ default: m.AccessPage })))
const QuestionsPage = lazy(() => import('./questions/questions-page.tsx').then((m) => ({ default: m.QuestionsPage })))
const ReviewsPage = lazy(() => import('./emergency/reviews-page.tsx').then((m) => ({ default: m.ReviewsPage })))

/** The desk of a facility: sign in first; then each role finds its own work. */
export function App(): ReactNode {
  const { session, error, renew } = useStaffSession()
  const { t } = useWords()
  const isIn = session !== undefined && session !== null
  const [hadSession, setHadSession] = useState(isIn)
  // Remembered while drawing: an effect would draw the page a second time.
  if (isIn && !hadSession) setHadSession(true)
  useLive(isIn ? '/v1/desk/live' : undefined)
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
        <StepUpProvider>
          <Switch>
            <Route path="/join/:code">{({ code }) => <JoinPage code={code} />}</Route>
            <Route path="/sso" component={SsoPage} />
            <Route>{session === null ? <SignInPage wasSignedOut={hadSession} /> : <Pages />}</Route>
          </Switch>
        </StepUpProvider>
      </Suspense>
    </Frame>
  )
}

/** Areas with several pages have their own switch inside. */
function Pages(): ReactNode {
  const { t } = useWords()
  return (
    <Switch>
      <Route path="/" component={TodayPage} />
      <Route path="/sign-in" component={TodayPage} />
      <Route path="/patients" component={PatientsPage} />
      <Route path="/patients/:reference/read/*?">{({ reference }) => <ReadingPage reference={reference} />}</Route>
      <Route path="/patients/:reference/*?">{({ reference }) => <PatientPage reference={reference} />}</Route>
      <Route path="/consents/*?" component={ConsentsPage} />
      <Route path="/provider/*?" component={ProviderPage} />
      <Route path="/reviews/*?" component={ReviewsPage} />
      <Route path="/access" component={AccessPage} />
      <Route path="/questions/*?" component={QuestionsPage} />
      <Route path="/staff/*?" component={StaffPage} />
      <Route path="/account" component={AccountPage} />
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
  )
}
