import { type ReactNode, useMemo, useState, useSyncExternalStore } from 'react'
import type { Chain, ChainEdge } from '../../../src/rights/views.ts'
import { Disclosure } from '../../ui/disclosure.tsx'
import { useWords } from '../words.ts'
import { ArrowSheet } from './arrow-sheet.tsx'
import { ChainList } from './chain-list.tsx'
import { ChainPicture } from './chain-picture.tsx'

const WIDE = '(min-width: 40rem)'

function useIsWide(): boolean {
  return useSyncExternalStore(
    (onChange) => {
      const media = matchMedia(WIDE)
      media.addEventListener('change', onChange)
      return () => media.removeEventListener('change', onChange)
    },
    () => matchMedia(WIDE).matches,
  )
}

/** Who is asked for all records may be a holder of some: nothing went anywhere when it gave them to itself. */
function withoutOwn(chain: Chain): Chain {
  return { ...chain, edges: chain.edges.filter(({ from, to }) => from !== to) }
}

/** The chain as a picture where there is room, with the same as a list below it; on a phone as a list from top to bottom. */
export function ChainPart(props: { readonly chain: Chain }): ReactNode {
  const { t } = useWords()
  const isWide = useIsWide()
  const [openId, open] = useState<string>()
  const chain = useMemo(() => withoutOwn(props.chain), [props.chain])
  const edge = chain.edges.find(({ id }) => id === openId)
  const onOpen = ({ id }: ChainEdge): void => open(id)
  return (
    <>
      {isWide ? (
        <>
          <ChainPicture chain={chain} onOpen={onOpen} />
          <Disclosure label={t('sharing.as-list')}>
            <ChainList chain={chain} onOpen={onOpen} />
          </Disclosure>
        </>
      ) : (
        <ChainList chain={chain} onOpen={onOpen} />
      )}
      {edge === undefined ? null : <ArrowSheet chain={chain} edge={edge} onClose={() => open(undefined)} />}
    </>
  )
}
