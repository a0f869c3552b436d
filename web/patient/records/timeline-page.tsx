import { type ReactNode, useEffect, useMemo, useState } from 'react'
import { Problem } from '../../ui/api.ts'
import { Button, ButtonLink, ButtonRow } from '../../ui/button.tsx'
import { Disclosure } from '../../ui/disclosure.tsx'
import { Page, Part } from '../../ui/page.tsx'
import { RecordTimeline } from '../../ui/record/record-timeline.tsx'
import { Banner, Empty, Waiting } from '../../ui/state.tsx'
import { Trouble } from '../../ui/trouble.tsx'
import { useWords } from '../words.ts'
import { downloadAll, downloadOne } from './download.ts'
import { HolderList } from './holder-list.tsx'
import type { OwnDocument } from './open-page.ts'
import { type CopyLook, type Look, useOwnCopy } from './own-copy-store.ts'
import style from './records.module.css'
import { type OwnOrigin, timelineOf } from './shown.ts'
import { TakeOutButton } from './take-out.tsx'
import { UnopenedList } from './unopened-list.tsx'

const LONG_MS = 5_000

/** Her own records from all her hospitals, opened on this device and nowhere else. */
export function TimelinePage(): ReactNode {
  const { t } = useWords()
  const { look, again } = useOwnCopy()
  const isBusy = look.phase === 'starting' || look.phase === 'running'
  return (
    <Page
      title={t('records.title')}
      actions={
        look.phase === 'none' || look.phase === 'starting' ? null : (
          <Button look="quiet" icon="refresh" isBusy={isBusy} onClick={again}>
            {t('records.again')}
          </Button>
        )
      }
    >
      <div className={style.ways}>
        <ButtonRow>
          <ButtonLink to="/share" icon="scan">
            {t('records.share')}
          </ButtonLink>
          <ButtonLink to="/records/link" icon="add">
            {t('records.link')}
          </ButtonLink>
        </ButtonRow>
      </div>
      <LookBody look={look} again={again} />
    </Page>
  )
}

function LookBody({ look, again }: { readonly look: Look; readonly again: () => void }): ReactNode {
  const { t } = useWords()
  if (look.phase === 'none' || look.phase === 'starting') return <Waiting>{t('records.starting')}</Waiting>
  if (look.phase === 'failed') {
    return isNothingLinked(look.error) ? (
      <Empty icon="hospital" title={t('records.empty-title')}>
        <p>{t('records.empty-text')}</p>
      </Empty>
    ) : (
      <Trouble error={look.error} onAgain={again} />
    )
  }
  return <CopyBody look={look} />
}

const isNothingLinked = (error: unknown): boolean =>
  error instanceof Problem && error.code === 'transfer/nothing-linked'

function CopyBody({ look }: { readonly look: CopyLook }): ReactNode {
  const { t } = useWords()
  const { copy, phase } = look
  const isLong = useLong(look.since, !copy.isDone)
  const { sources, formless } = useMemo(() => timelineOf(copy.documents), [copy.documents])
  const nameOf = ({ hip }: { readonly hip: string }): string =>
    copy.view.holders.find((holder) => holder.hip.id === hip)?.hip.name ?? hip
  return (
    <>
      <p className={style.private}>{t('records.private')}</p>
      {phase === 'broken' ? (
        <Banner tone="waiting" icon="offline">
          {t('records.line')}
        </Banner>
      ) : null}
      <div className={style.about}>
        <HolderList holders={copy.view.holders} isLong={isLong} />
        <UnopenedList unopened={copy.unopened} nameOf={nameOf} />
        {copy.documents.length === 0 ? null : <Keep documents={copy.documents} />}
      </div>
      {sources.length === 0 ? null : (
        <Part title={t('records.by-visit')}>
          <RecordTimeline<OwnOrigin>
            sources={sources}
            badgeOf={({ own }) => <bdi>{nameOf(own)}</bdi>}
            sourceOf={({ own }) => nameOf(own)}
            footOf={({ own }) => <Foot own={own} />}
            empty={null}
          />
        </Part>
      )}
      {copy.isDone && copy.documents.length === 0 ? (
        <Empty icon="record" title={t('records.nothing-title')}>
          <p>{t('records.nothing-text')}</p>
        </Empty>
      ) : null}
      {formless.length === 0 ? null : (
        <Part title={t('records.no-form-title')}>
          <ul className={style.list}>
            {formless.map((own) => (
              <li key={own.key} className={style.holder}>
                <span>{t('records.from', { name: nameOf(own) })}</span>
                <TakeOutButton form="fhir" icon="download" take={() => downloadOne(own)}>
                  {t('records.download')}
                </TakeOutButton>
              </li>
            ))}
          </ul>
        </Part>
      )}
    </>
  )
}

function Foot({ own }: { readonly own: OwnDocument }): ReactNode {
  const { t } = useWords()
  return (
    <div className={style.foot}>
      {own.checksumDiffers ? <p>{t('records.checksum')}</p> : null}
      <TakeOutButton form="fhir" look="quiet" icon="download" take={() => downloadOne(own)}>
        {t('records.download')}
      </TakeOutButton>
    </div>
  )
}

function Keep({ documents }: { readonly documents: readonly OwnDocument[] }): ReactNode {
  const { t } = useWords()
  return (
    <div className={style.keep}>
      <Disclosure label={t('records.keep')} summary={t('records.keep-how')}>
        <div className={style.way}>
          <TakeOutButton form="fhir" icon="download" take={() => downloadAll(documents, new Date())}>
            {t('records.download-all')}
          </TakeOutButton>
          <p className={style.muted}>{t('records.download-text')}</p>
        </div>
        <div className={style.way}>
          <TakeOutButton form="print" icon="print" take={() => window.print()}>
            {t('records.print')}
          </TakeOutButton>
          <p className={style.muted}>{t('records.print-text')}</p>
        </div>
      </Disclosure>
    </div>
  )
}

/** Whether it takes longer than people wait without wondering. */
function useLong(since: number, isRunning: boolean): boolean {
  const [longSince, setLongSince] = useState<number>()
  useEffect(() => {
    const timer = window.setTimeout(() => setLongSince(since), Math.max(0, since + LONG_MS - performance.now()))
    return () => window.clearTimeout(timer)
  }, [since])
  return isRunning && longSince === since
}
