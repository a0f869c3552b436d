import type { ReactNode } from 'react'
import type { NarrativeBlock } from '../../../src/fhir/show-narrative.ts'
import style from './record.module.css'

/** What an author wrote in running text. It is data by now: nothing of it is HTML. */
export function RecordNarrative({ blocks }: { readonly blocks: readonly NarrativeBlock[] }): ReactNode {
  return (
    <div className={style.narrative}>
      {blocks.map((block, at) => (
        // Blocks of a text never change places.
        <Block key={at} block={block} />
      ))}
    </div>
  )
}

function Block({ block }: { readonly block: NarrativeBlock }): ReactNode {
  if (block.kind !== 'table') {
    const words = <bdi>{block.text}</bdi>
    if (block.kind === 'item') return <p data-item="">{words}</p>
    return <p>{block.kind === 'heading' ? <b>{words}</b> : words}</p>
  }
  return (
    <div className={style.scroll}>
      <table>
        <tbody>
          {block.rows.map(({ head, cells }, row) => (
            <tr key={row}>
              {cells.map((cell, at) =>
                head ? (
                  <th key={at} scope="col">
                    <bdi>{cell}</bdi>
                  </th>
                ) : (
                  <td key={at}>
                    <bdi>{cell}</bdi>
                  </td>
                ),
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
