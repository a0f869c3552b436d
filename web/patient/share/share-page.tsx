import { type ReactNode, useState } from 'react'
import { useLocation, useSearch } from 'wouter'
import { Page } from '../../ui/page.tsx'
import { useWords } from '../words.ts'
import { readQuery } from './counter-code.ts'
import { ScanCounter } from './scan.tsx'
import { ShareWith } from './share-with.tsx'
import { Ticket } from './ticket.tsx'

/** Scan and share: which counter, what it is told, the number in the queue. */
export function SharePage(): ReactNode {
  const { t } = useWords()
  const [, go] = useLocation()
  const counter = readQuery(new URLSearchParams(useSearch()))
  const [sent, setSent] = useState<string>()
  const back = { to: '/records', label: t('records.title') }
  if (sent !== undefined) return <Ticket share={sent} back={back} onAgain={() => setSent(undefined)} />
  if (counter === undefined) {
    return (
      <Page title={t('records.share-scan-title')} above={t('records.share-title')} back={back}>
        <ScanCounter
          onCounter={({ hip, counter: name }) =>
            go(`/share?hip=${encodeURIComponent(hip)}&counter=${encodeURIComponent(name)}`)
          }
        />
      </Page>
    )
  }
  return <ShareWith counter={counter} back={back} onSent={setSent} onOther={() => go('/share')} />
}
