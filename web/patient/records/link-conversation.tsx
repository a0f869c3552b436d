import { useQuery } from '@tanstack/react-query'
import { type ComponentProps, type ReactNode, useEffect, useState } from 'react'
import type { Group } from '../../../src/linking/care-context.ts'
import type { Transaction } from '../../../src/linking/transaction.ts'
import { actingFor, call, type Problem } from '../../ui/api.ts'
import { Button, ButtonLink } from '../../ui/button.tsx'
import { Page } from '../../ui/page.tsx'
import { Banner, Waiting } from '../../ui/state.tsx'
import { Trouble } from '../../ui/trouble.tsx'
import { useWords } from '../words.ts'
import { ChooseFound } from './link-choose.tsx'
import { EnterCode } from './link-code.tsx'
import { lookAnew } from './own-copy-store.ts'

/** As JSON: dates are texts, and what is secret is left out. */
type Talk = Transaction

const ASK_EVERY_MS = 700
const isWaiting = (talk: Talk | undefined): boolean =>
  talk === undefined || talk.status === 'asked' || talk.status === 'init-asked' || talk.status === 'confirm-asked'

type Props = {
  readonly name: string
  readonly linking: string
  readonly back: NonNullable<ComponentProps<typeof Page>['back']>
  readonly onAgain: () => void
}

/** What is said after a hospital was asked, as the exchange sees it. */
export function LinkConversation(props: Props): ReactNode {
  const { t } = useWords()
  const path = `/v1/me/linking/${props.linking}`
  const {
    data: talk,
    error,
    refetch,
  } = useQuery<Talk, Problem>({
    queryKey: [actingFor() ?? '', path],
    queryFn: ({ signal }) => call<Talk>(path, { signal }),
    refetchInterval: ({ state }) => (isWaiting(state.data) ? ASK_EVERY_MS : false),
  })
  if (error !== null && talk === undefined) {
    return (
      <Page title={t('records.link-title')} back={props.back}>
        <Trouble error={error} onAgain={() => void refetch()} />
      </Page>
    )
  }
  if (talk === undefined || isWaiting(talk)) {
    const title = t('records.link-waiting', { name: props.name })
    return (
      <Page title={title} above={t('records.link-title')} back={props.back}>
        <Waiting>{title}</Waiting>
      </Page>
    )
  }
  return <Answered {...props} talk={talk} onNext={() => void refetch()} />
}

/** The hospital has said something: what to do with it. */
function Answered(props: Props & { readonly talk: Talk; readonly onNext: () => void }): ReactNode {
  const { t } = useWords()
  const { name, linking, back, talk } = props
  // Taken back to the choice, to have a new code sent.
  const [isChoosing, setChoosing] = useState(false)
  const frame = { back, above: t('records.link-title') }
  const next = (): void => {
    setChoosing(false)
    props.onNext()
  }
  if (talk.status === 'found' || (isChoosing && talk.status === 'offered')) {
    return (
      <Page title={t('records.link-found-title', { name })} {...frame}>
        <ChooseFound name={name} linking={linking} found={talk.found} onChosen={next} />
      </Page>
    )
  }
  if (talk.status === 'offered') {
    return (
      <Page title={t('records.link-code-title', { name })} {...frame}>
        <EnterCode
          name={name}
          linking={linking}
          offer={talk.link}
          isWrong={talk.lastError !== undefined}
          onSent={next}
          onNewCode={() => setChoosing(true)}
        />
      </Page>
    )
  }
  if (talk.status === 'linked') return <Linked {...frame} name={name} linked={talk.linked} />
  return talk.status === 'failed' ? <Failed {...frame} name={name} talk={talk} onAgain={props.onAgain} /> : null
}

type Frame = { readonly name: string; readonly back: Props['back']; readonly above: string }

function Linked({ name, linked, ...frame }: Frame & { readonly linked: readonly Group[] }): ReactNode {
  const { t, tn } = useWords()
  const n = linked.reduce((sum, group) => sum + group.careContexts.length, 0)
  useEffect(lookAnew, [])
  return (
    <Page title={t('records.link-done-title')} {...frame}>
      <Banner tone="live">{tn('records.link-done-text', n, { name })}</Banner>
      <ButtonLink to="/records" look="primary" isWide>
        {t('records.link-done-see')}
      </ButtonLink>
    </Page>
  )
}

function Failed(
  props: Frame & { readonly talk: Extract<Talk, { status: 'failed' }>; readonly onAgain: () => void },
): ReactNode {
  const { t } = useWords()
  const { name, talk, onAgain, ...frame } = props
  const why = whyFailed(talk)
  return (
    <Page title={t(`records.link-failed.${why}`, { name })} {...frame}>
      <Banner tone="stopped" isAlert>
        {t(`records.link-failed.${why}-text`)}
      </Banner>
      <Button look="primary" isWide onClick={onAgain}>
        {t('records.link-failed.again')}
      </Button>
    </Page>
  )
}

/** Codes of the exchange itself for a facility that said nothing, or could not be reached (protocol sheet 3.6). */
const SILENT = new Set(['ABDM-1402', 'ABDM-1035', 'ABDM-1401'])

function whyFailed({ step, error }: Extract<Talk, { status: 'failed' }>): 'nothing' | 'silent' | 'code' {
  if (step === 'confirm' && !SILENT.has(error.code)) return 'code'
  if (SILENT.has(error.code) || !/^(ABDM-)?\d+/.test(error.code)) return 'silent'
  return step === 'discover' ? 'nothing' : 'silent'
}
