import { type ReactNode, useEffect, useRef } from 'react'
import { Link, useLocation } from 'wouter'
import { Button } from '../ui/button.tsx'
import { Guard } from '../ui/guard.tsx'
import { Icon, type IconName } from '../ui/icon.tsx'
import { LanguageButton } from '../ui/language-sheet.tsx'
import { SkipLink } from '../ui/page.tsx'
import { Banner } from '../ui/state.tsx'
import style from './frame.module.css'
import { useAct, useConsoleState } from './state.ts'
import { type ConsoleKey, useWords } from './words.ts'

const PLACES: readonly (readonly [path: string, icon: IconName, words: ConsoleKey])[] = [
  ['/', 'share', 'console.messages'],
  ['/parties', 'hospital', 'console.parties'],
  ['/waiting', 'queue', 'console.waiting'],
  ['/passwords', 'phone', 'console.passwords'],
  ['/people', 'people', 'console.people'],
  ['/bridges', 'key', 'console.bridges'],
]

/** What stands around every page of the console: its places, and whether something is broken on purpose. */
export function Frame(props: { readonly children: ReactNode }): ReactNode {
  const { t } = useWords()
  const [location] = useLocation()
  return (
    <div className={style.frame}>
      <SkipLink />
      <header className={style.top}>
        <Link href="/" className={style.brand ?? ''}>
          {t('console.name')}
        </Link>
        <LanguageButton languages={['en', 'hi', 'ur']} />
      </header>
      <Rail />
      <main id="main" tabIndex={-1} className={style.main}>
        <BrokenBanner />
        <Guard at={location}>{props.children}</Guard>
      </main>
    </div>
  )
}

function Rail(): ReactNode {
  const { t } = useWords()
  const [location] = useLocation()
  const rail = useRef<HTMLElement>(null)
  // On a phone the rail is a row that scrolls: the place where one is stays in sight.
  useEffect(() => {
    rail.current?.querySelector('[aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'nearest' })
  }, [location])
  const isHere = (path: string): boolean => (path === '/' ? location === '/' : location.startsWith(path))
  return (
    <nav ref={rail} className={style.rail} aria-label={t('common.menu')}>
      {PLACES.map(([path, icon, words]) => (
        <Link key={path} href={path} aria-current={isHere(path) ? 'page' : undefined}>
          <Icon name={icon} />
          <span>{t(words)}</span>
        </Link>
      ))}
    </nav>
  )
}

/** On every page, so that nobody forgets what they broke. */
function BrokenBanner(): ReactNode {
  const { t, tn } = useWords()
  const { data } = useConsoleState()
  const act = useAct()
  const broken = data?.parties.filter(({ state }) => (state?.faults.length ?? 0) > 0) ?? []
  if (broken.length === 0) return null
  return (
    <Banner tone="emergency" icon="warning" title={tn('console.broken', broken.length)}>
      <div>
        <Button isBusy={act.isPending} onClick={() => act.mutate({ path: '/v1/console/mend', options: { body: {} } })}>
          {t('console.mend-all')}
        </Button>
      </div>
    </Banner>
  )
}
