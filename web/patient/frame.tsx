import type { ReactNode } from 'react'
import { Link, useLocation } from 'wouter'
import { Guard } from '../ui/guard.tsx'
import { Icon, type IconName } from '../ui/icon.tsx'
import { LanguageButton } from '../ui/language-sheet.tsx'
import { ALL_LANGUAGES } from '../ui/languages.ts'
import { useOnline } from '../ui/online.ts'
import { SkipLink } from '../ui/page.tsx'
import { Banner } from '../ui/state.tsx'
import style from './frame.module.css'
import type { PatientSession } from './session.ts'
import { ActingBar } from './signin/acting-bar.tsx'
import { keepLanguage } from './signin/language.ts'
import { type PatientKey, useWords } from './words.ts'

const PLACES: readonly (readonly [path: string, icon: IconName, words: PatientKey])[] = [
  ['/', 'inbox', 'app.requests'],
  ['/sharing', 'share', 'app.sharing'],
  ['/looked', 'eye', 'app.looked'],
  ['/records', 'record', 'app.records'],
  ['/choices', 'settings', 'app.choices'],
]

/** What stands around every page: whose app this is, for whom one acts, where one can go. */
export function Frame(props: { readonly session?: PatientSession; readonly children: ReactNode }): ReactNode {
  const { t } = useWords()
  const isOnline = useOnline()
  const [location] = useLocation()
  return (
    <div className={style.frame}>
      <SkipLink />
      <header className={style.top}>
        <Link href="/" className={style.brand ?? ''}>
          {t('app.name')}
        </Link>
        <LanguageButton
          languages={ALL_LANGUAGES}
          {...(props.session === undefined ? {} : { onChosen: keepLanguage })}
        />
      </header>
      {props.session === undefined ? null : <ActingBar session={props.session} />}
      <main id="main" tabIndex={-1} className={style.main}>
        {isOnline ? null : (
          <Banner tone="waiting" icon="offline">
            {t('common.offline')}
          </Banner>
        )}
        <Guard at={location}>{props.children}</Guard>
      </main>
      {props.session === undefined ? null : <BottomBar />}
    </div>
  )
}

function BottomBar(): ReactNode {
  const { t } = useWords()
  const [location] = useLocation()
  const isHere = (path: string): boolean =>
    path === '/' ? location === '/' || location.startsWith('/requests') : location.startsWith(path)
  return (
    <nav className={style.bar} aria-label={t('common.menu')}>
      {PLACES.map(([path, icon, words]) => (
        <Link key={path} href={path} aria-current={isHere(path) ? 'page' : undefined}>
          <Icon name={icon} size={24} />
          <span>{t(words)}</span>
        </Link>
      ))}
    </nav>
  )
}
