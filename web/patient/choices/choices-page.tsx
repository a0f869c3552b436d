import type { ReactNode } from 'react'
import { Link, Route, Switch } from 'wouter'
import { Icon, type IconName } from '../../ui/icon.tsx'
import { Page } from '../../ui/page.tsx'
import { type PatientKey, useWords } from '../words.ts'
import style from './choices.module.css'
import { ClosingPage } from './closing-page.tsx'
import { ComplainPage } from './complain-page.tsx'
import { NewPolicyPage } from './new-policy-page.tsx'
import { PoliciesPage } from './policies-page.tsx'
import { RightsPage } from './rights-page.tsx'
import { SubscriptionsPage } from './subscriptions-page.tsx'

/** Standing choices and rights: a list of places, and the places. */
export function ChoicesPage(): ReactNode {
  return (
    <Switch>
      <Route path="/choices/policies" component={PoliciesPage} />
      <Route path="/choices/policies/new" component={NewPolicyPage} />
      <Route path="/choices/subscriptions" component={SubscriptionsPage} />
      <Route path="/choices/rights" component={RightsPage} />
      <Route path="/choices/closing" component={ClosingPage} />
      <Route path="/choices/complain" component={ComplainPage} />
      <Route component={Places} />
    </Switch>
  )
}

const PLACES: readonly (readonly [path: string, icon: IconName, words: PatientKey, text: PatientKey])[] = [
  ['/choices/policies', 'check', 'choices.policies', 'choices.policies-text'],
  ['/choices/subscriptions', 'inbox', 'choices.subscriptions', 'choices.subscriptions-text'],
  ['/choices/account', 'key', 'signin.account-title', 'signin.account-text'],
  ['/choices/rights', 'proof', 'choices.rights', 'choices.rights-text'],
  ['/choices/closing', 'cross', 'choices.closing', 'choices.closing-text'],
]

function Places(): ReactNode {
  const { t } = useWords()
  return (
    <Page title={t('choices.title')}>
      <ul className={style.list}>
        {PLACES.map(([path, icon, words, text]) => (
          <li key={path}>
            <Link href={path} className={style.place ?? ''}>
              <Icon name={icon} size={24} />
              <span>
                <b>{t(words)}</b>
                <span className={style.second}>{t(text)}</span>
              </span>
              <Icon name="next" />
            </Link>
          </li>
        ))}
      </ul>
    </Page>
  )
}
