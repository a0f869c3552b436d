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
  const { t } = useWords()
  const { kind } = useKnownWords()
  const { asker } = props
  const { person } = asker
  return (
    <div className={style.asker}>
      <span className={style.face}>
        <Icon name={iconOfAsker(asker)} size={32} />
      </span>
      <div className={style.who}>
        {asker.kinds.length === 0 ? null : (
          <p className={style.second}>
            <bdi>{asker.kinds.map(kind).join(', ')}</bdi>
          </p>
        )}
        <p>
          {person.registration === undefined
            ? t('request.person', { name: person.name })
            : t('request.person-registered', { name: person.name, number: person.registration })}
        </p>
        <p className={style.badges}>
          {asker.isRegistered ? (
            <State tone="live">{t('request.registered', { id: asker.id })}</State>
          ) : (
            <State tone="stopped">{t('request.not-registered', { id: asker.id })}</State>
          )}
          {asker.isGovernment ? <State tone="calm">{t('request.government')}</State> : null}
        </p>
      </div>
    </div>
  )
}
