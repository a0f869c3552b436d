import { type ReactNode, useEffect, useRef } from 'react'
import { Link, useLocation } from 'wouter'
import type { StaffAct } from '../../src/kernel/staff-role.ts'
import { mayDo } from '../../src/people/rules.ts'
import { Guard } from '../ui/guard.tsx'
import { Icon, type IconName } from '../ui/icon.tsx'
import { LanguageButton } from '../ui/language-sheet.tsx'
import { useOnline } from '../ui/online.ts'
import { SkipLink } from '../ui/page.tsx'
import { Banner } from '../ui/state.tsx'
import style from './frame.module.css'
import type { StaffSession } from './session.ts'
import { roleKey } from './staff/model.ts'
import { UnconfirmedPage } from './staff/unconfirmed-page.tsx'
import { type DeskKey, useWords } from './words.ts'

/** Places of the rail and the act that opens each; nobody sees a door that is locked to them. */
const PLACES: readonly (readonly [path: string, icon: IconName, words: DeskKey, act?: StaffAct])[] = [
  ['/', 'clock', 'desk.today'],
  ['/patients', 'people', 'desk.patients', 'patient.find'],
  ['/consents', 'inbox', 'desk.consents', 'consent.see'],
  ['/provider', 'share', 'desk.provider', 'provider.see'],
  ['/reviews', 'emergency', 'desk.reviews', 'emergency.review'],
  ['/access', 'eye', 'access.rail', 'access-log.see'],
  ['/questions', 'question', 'questions.rail', 'access-log.see'],
  ['/staff', 'key', 'desk.staff', 'staff.see'],
]

/** Her own account, and the accounts of the staff: open also before her account is confirmed. */
const isOpenAnyway = (location: string): boolean => location.startsWith('/account') || location.startsWith('/staff')

/** The places that a person's role opens. */
export function placesOf({ staff }: StaffSession): typeof PLACES {
  return PLACES.filter(([, , , act]) => act === undefined || mayDo(staff.role, act))
}

/** What stands around every page of the desk: the facility, the places of one's role, who one is. */
export function Frame(props: { readonly session?: StaffSession; readonly children: ReactNode }): ReactNode {
  const { t } = useWords()
  const isOnline = useOnline()
  const [location] = useLocation()
  const { session } = props
  return (
    <div className={style.frame} data-signed-in={session === undefined ? undefined : ''}>
      <SkipLink />
      <header className={style.top}>
        <p>
          <Link href="/" className={style.brand ?? ''}>
            {t('desk.name')}
          </Link>
          {session === undefined ? null : <bdi className={style.facility}>{session.facility.name}</bdi>}
        </p>
        <div className={style.who}>
          {session === undefined ? null : (
            <Link href="/account" className={style.person ?? ''}>
              <Icon name="person" />
              <span>
                <bdi>{session.staff.name}</bdi>
                <small>{t(roleKey(session.staff.role))}</small>
              </span>
            </Link>
          )}
          <LanguageButton languages={['en', 'hi', 'ur']} />
        </div>
      </header>
      {session === undefined ? null : <Rail session={session} />}
      <main id="main" tabIndex={-1} className={style.main}>
        {isOnline ? null : (
          <Banner tone="waiting" icon="offline">
            {t('common.offline')}
          </Banner>
        )}
        <Guard at={location}>
          {session?.unconfirmed === undefined || isOpenAnyway(location) ? (
            props.children
          ) : (
            <UnconfirmedPage unconfirmed={session.unconfirmed} />
          )}
        </Guard>
      </main>
    </div>
  )
}

function Rail(props: { readonly session: StaffSession }): ReactNode {
  const { t } = useWords()
  const [location] = useLocation()
  const rail = useRef<HTMLElement>(null)
  // On a phone the rail is a row that scrolls: the place where one is stays in sight.
  useEffect(() => {
    rail.current?.querySelector('[aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'nearest' })
  }, [location])
  const places = placesOf(props.session)
  return (
    <nav ref={rail} className={style.rail} aria-label={t('common.menu')}>
      {places.map(([path, icon, words]) => (
        <Link
          key={path}
          href={path}
          aria-current={(path === '/' ? location === '/' : location.startsWith(path)) ? 'page' : undefined}
        >
          <Icon name={icon} />
          <span>{t(words)}</span>
        </Link>
      ))}
    </nav>
  )
}
