import type { ReactNode } from 'react'
import type { ServedRequest } from '../../../src/desk/provider.ts'
import { useDates } from '../../ui/dates.ts'
import { Disclosure } from '../../ui/disclosure.tsx'
import { State, type Tone } from '../../ui/state.tsx'
import type { Wire } from '../wire.ts'
import { type DeskKey, useWords } from '../words.ts'
import style from './provider.module.css'

export type ServedShown = Wire<ServedRequest>

/** Where a request that we served stands, as a word and a colour. */
function stateOf({ status, outcome, failed }: ServedShown): readonly [Tone, DeskKey] {
  if (status === 'refused') return ['stopped', 'provider.state-refused']
  if (status === 'collecting') return ['waiting', 'provider.state-collecting']
  if (status === 'sending') return ['waiting', 'provider.state-sending']
  return outcome === 'FAILED' || failed > 0 ? ['stopped', 'provider.state-failed'] : ['live', 'provider.state-sent']
}

/** One request that we served: what left, what was cut out, what did not leave and why. */
export function ServedRow(props: { readonly request: ServedShown }): ReactNode {
  const { request } = props
  const { t, tn, rich } = useWords()
  const dates = useDates()
  const [tone, words] = stateOf(request)
  const counts = [
    request.sent > 0 || request.status === 'ended' ? tn('provider.sent', request.sent) : '',
    request.narrowed > 0 ? tn('provider.narrowed', request.narrowed) : '',
    request.failed > 0 ? tn('provider.failed', request.failed) : '',
    request.withheld > 0 ? tn('provider.withheld', request.withheld) : '',
  ].filter((text) => text !== '')
  const { receiver, patient } = request
  return (
    <article className={style.row}>
      <div className={style.head}>
        <p>
          {rich('provider.request-line', {
            receiver: <b>{receiver.name ?? receiver.id}</b>,
            patient: <b>{patient.name ?? patient.abhaAddress}</b>,
          })}
        </p>
        <State tone={tone}>{t(words)}</State>
      </div>
      <p className={style.quiet}>
        <span>{t('provider.asked-on', { when: dates.moment(request.receivedAt) })}</span>
        <span>
          {t('provider.range', { from: dates.shortDay(request.range.from), to: dates.shortDay(request.range.to) })}
        </span>
        {counts.map((count) => (
          <span key={count}>{count}</span>
        ))}
      </p>
      {request.refusal === undefined ? null : <p>{t('provider.refused-why', { why: request.refusal })}</p>}
      {request.heldBack.length === 0 ? null : (
        <Disclosure label={t('provider.held-back')}>
          <ul className={style.reasons}>
            {request.heldBack.map(({ careContext, why }) => (
              <li key={careContext}>
                <b>{t('provider.care-context', { reference: careContext })}</b>
                <span dir="auto">{why}</span>
              </li>
            ))}
          </ul>
        </Disclosure>
      )}
      {request.documents.length === 0 ? null : <Documents request={request} />}
    </article>
  )
}

function Documents(props: { readonly request: ServedShown }): ReactNode {
  const { t } = useWords()
  return (
    <Disclosure label={t('provider.documents')}>
      <table className={style.table}>
        <thead>
          <tr>
            <th scope="col">{t('provider.document')}</th>
            <th scope="col">{t('provider.fate')}</th>
          </tr>
        </thead>
        <tbody>
          {props.request.documents.map(({ hiType, careContext, status, narrowed, why }, at) => (
            // Pages of one transfer keep their order.
            <tr key={at}>
              <td>
                {t(`record.one.${hiType}` as DeskKey)}
                <small>
                  <bdi>{careContext}</bdi>
                </small>
              </td>
              <td>
                {t(
                  status === 'sent' && narrowed
                    ? 'provider.page-sent-narrowed'
                    : (`provider.page-${status}` as DeskKey),
                )}
                {why === undefined ? null : <small dir="auto">{why}</small>}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Disclosure>
  )
}
