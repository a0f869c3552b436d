import { type ReactNode, useEffect, useState } from 'react'
import type { ShownAttachment } from '../../../src/fhir/show-rows.ts'
import { Icon } from '../icon.tsx'
import { Banner } from '../state.tsx'
import { type AttachmentFile, openAttachment } from './attachment-file.ts'
import style from './record.module.css'
import { useRecordDates, useRecordWords } from './record-words.ts'

/**
 * A file of a document: images and PDFs are shown in place, PDFs behind a link on narrow pages and in browsers that do not draw them;
 * everything else is downloaded.
 */
export function RecordAttachment({ attachment }: { readonly attachment: ShownAttachment }): ReactNode {
  const { t } = useRecordWords()
  const [opened, setOpened] = useState<{ readonly file: AttachmentFile; readonly url: string | undefined }>()
  useEffect(() => {
    let url: string | undefined
    // Decoding megabytes may wait until the page has drawn.
    const later = setTimeout(() => {
      const file = openAttachment(attachment)
      url = file.blob === undefined ? undefined : URL.createObjectURL(file.blob)
      setOpened({ file, url })
    })
    return () => {
      clearTimeout(later)
      if (url !== undefined) URL.revokeObjectURL(url)
    }
  }, [attachment])
  if (opened === undefined) return null
  const { file, url } = opened
  if (file.kind === 'damaged' || url === undefined)
    return (
      <Banner tone="waiting" icon="warning" title={<bdi>{attachment.title}</bdi>}>
        {t('record.file-damaged')}
      </Banner>
    )
  const { title } = attachment
  return (
    <figure className={style.file}>
      {file.kind === 'image' ? <img src={url} alt={t('record.file-image', { title })} /> : null}
      {file.kind === 'pdf' && navigator.pdfViewerEnabled ? (
        <iframe src={url} title={t('record.file-pdf', { title })} />
      ) : null}
      {file.isMisnamed ? <p className={style.more}>{t('record.file-is-not')}</p> : null}
      <figcaption>
        <span>
          <bdi>{title}</bdi> <Size bytes={file.blob?.size ?? 0} />
        </span>
        {file.kind === 'other' ? null : (
          <a href={url} target="_blank" rel="noreferrer" aria-label={t('record.file-open', { title })}>
            <Icon name="eye" />
            {t('record.open-document')}
          </a>
        )}
        <a href={url} download={file.fileName} aria-label={t('record.file-download', { title })}>
          <Icon name="download" />
          {t('record.file-save')}
        </a>
      </figcaption>
    </figure>
  )
}

function Size(props: { readonly bytes: number }): ReactNode {
  const { t } = useRecordWords()
  const dates = useRecordDates()
  const kilobytes = Math.max(1, Math.round(props.bytes / 1024))
  return (
    <small className={style.muted}>
      {kilobytes < 1024
        ? t('record.file-size-kb', { n: kilobytes })
        : t('record.file-size-mb', { n: dates.number(Math.round(kilobytes / 102.4) / 10) })}
    </small>
  )
}
