import type { ReactNode } from 'react'
import type { AskerView } from '../../../src/native/me-request-view.ts'
import { Icon, type IconName } from '../../ui/icon.tsx'
import { State } from '../../ui/state.tsx'
import { useKnownWords } from '../known-words.ts'
import { useWords } from '../words.ts'
import style from './inbox.module.css'

const ICON_OF_KIND: readonly (readonly [RegExp, IconName])[] = [
  [/lab|diagnos|imaging/i, 'lab'],
  [/pharm/i, 'pill'],
  [/insur|payer|tpa/i, 'insurance'],
]

export function iconOfAsker({ kinds }: Pick<AskerView, 'kinds'>): IconName {
  return ICON_OF_KIND.find(([words]) => kinds.some((kind) => words.test(kind)))?.[1] ?? 'hospital'
}

/** Who asks, as the register and the request name them; the name itself is the heading of the page. */
export function AskerCard(props: { readonly asker: AskerView }): ReactNode {
  const sayPerson = useSayPerson()
  const { asker } = props
  return (
    <div className={style.asker}>
      <span className={style.face}>
        <Icon name={iconOfAsker(asker)} size={32} />
      </span>
      <div className={style.who}>
        <AskerFacts asker={asker}>
          <p>{sayPerson(asker.person)}</p>
        </AskerFacts>
      </div>
    </div>
  )
}

/** The sentence that names the person who asks, with the number in the register of doctors. */
export function useSayPerson(): (person: AskerView['person']) => string {
  const { t } = useWords()
  return ({ name, registration }) =>
    registration === undefined
      ? t('request.person', { name })
      : t('request.person-registered', { name, number: registration })
}

/** What the register says of who asks: the kind of place above, its standing below, and in between what the page says. */
export function AskerFacts(props: { readonly asker: AskerView; readonly children: ReactNode }): ReactNode {
  const { t } = useWords()
  const { kind } = useKnownWords()
  const { asker } = props
  return (
    <>
      {asker.kinds.length === 0 ? null : (
        <p className={style.second}>
          <bdi>{asker.kinds.map(kind).join(', ')}</bdi>
        </p>
      )}
      {props.children}
      <p className={style.badges}>
        {asker.isRegistered ? (
          <State tone="live">{t('request.registered', { id: asker.id })}</State>
        ) : (
          <State tone="stopped">{t('request.not-registered', { id: asker.id })}</State>
        )}
        {asker.isGovernment ? <State tone="calm">{t('request.government')}</State> : null}
      </p>
    </>
  )
}
