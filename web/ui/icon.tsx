import type { ReactNode } from 'react'

/** Icons of one hand: 24 by 24, round strokes. Always beside a word, so hidden from screen readers. */
const PATHS = {
  inbox: 'M4 13l2.5-8h11L20 13v6H4zM4 13h5a3 3 0 0 0 6 0h5',
  share:
    'M6 12a2.5 2.5 0 1 0 0-.1M17 6.500a2.500 2.500 0 1 0 0-.1M17 17.500a2.500 2.500 0 1 0 0-.1M8.300 10.800l6.500-3.200M8.300 13.200l6.500 3.200',
  eye: 'M2.500 12S6 5.500 12 5.500 21.500 12 21.500 12 18 18.500 12 18.500 2.500 12 2.500 12zM12 14.800a2.800 2.800 0 1 0 0-5.600 2.800 2.800 0 0 0 0 5.600z',
  record: 'M6 3h8l4 4v14H6zM14 3v4h4M9 12h6M9 16h6',
  settings: 'M4 7h9M17 7h3M4 17h3M11 17h9M15 7m-2 0a2 2 0 1 0 4 0 2 2 0 1 0-4 0M9 17m-2 0a2 2 0 1 0 4 0 2 2 0 1 0-4 0',
  check: 'M5 12.500l4.500 4.500L19 7.500',
  cross: 'M6 6l12 12M18 6L6 18',
  stop: 'M8 3h8l5 5v8l-5 5H8l-5-5V8zM8.500 8.500l7 7M15.500 8.500l-7 7',
  clock: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 7v5l3.500 2',
  warning: 'M12 4l9 16H3zM12 10v4.500M12 17.400v.1',
  emergency: 'M12 3v18M3.500 7.500l17 9M20.500 7.500l-17 9',
  lock: 'M6 11h12v9H6zM8.500 11V8a3.500 3.500 0 0 1 7 0v3',
  key: 'M8 15.500a3.500 3.500 0 1 1 2.900-5.500H21v3h-2.500v2.500H15.500V13h-4.600A3.500 3.500 0 0 1 8 15.500zM8 12v.1',
  phone: 'M7 3h10v18H7zM10.500 18h3',
  speaker: 'M4 9.500h3.500L12 6v12l-4.500-3.500H4zM15.500 9a4.200 4.200 0 0 1 0 6M18 6.500a8 8 0 0 1 0 11',
  person: 'M12 11.500a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4.500 20.500a7.500 7.500 0 0 1 15 0',
  people:
    'M9 11a3.500 3.500 0 1 0 0-7 3.500 3.500 0 0 0 0 7zM2.500 20a6.500 6.500 0 0 1 13 0M16 4.500a3.500 3.500 0 0 1 0 6.500M18 14a6.500 6.500 0 0 1 3.500 6',
  hospital: 'M4 21V7h16v14M9 21v-4h6v4M12 9v5M9.500 11.500h5M9 7V3h6v4',
  lab: 'M10 3v6l-5 10a1.500 1.500 0 0 0 1.400 2h11.200a1.500 1.500 0 0 0 1.400-2L14 9V3M8.500 3h7M7.500 15h9',
  pill: 'M5.500 18.500a4.200 4.200 0 0 1 0-6l7-7a4.200 4.200 0 0 1 6 6l-7 7a4.200 4.200 0 0 1-6 0zM9 9l6 6',
  insurance: 'M12 3l8 3v6c0 5-3.500 8-8 9-4.500-1-8-4-8-9V6zM8.500 12l2.500 2.500 4.500-5',
  back: 'M15 5l-7 7 7 7',
  next: 'M9 5l7 7-7 7',
  down: 'M5 9l7 7 7-7',
  up: 'M5 15l7-7 7 7',
  print: 'M7 8V3h10v5M7 17H4V9h16v8h-3M7 14h10v7H7z',
  add: 'M12 5v14M5 12h14',
  search: 'M11 18a7 7 0 1 0 0-14 7 7 0 0 0 0 14zM16 16l4.500 4.500',
  download: 'M12 4v11M7 11l5 5 5-5M5 20h14',
  copy: 'M9 9h11v11H9zM15 9V4H4v11h5',
  scan: 'M4 8V4h4M16 4h4v4M20 16v4h-4M8 20H4v-4M4 12h16',
  offline:
    'M3 3l18 18M5 12.500a10 10 0 0 1 4-2.400M2 9a15 15 0 0 1 4.500-2.800M19 12.500a10 10 0 0 0-3-2M22 9a15 15 0 0 0-9-4M8.500 16a5 5 0 0 1 5.500-.9M12 19.500v.1',
  signOut: 'M10 4H5v16h5M9.500 12H21M17 8l4 4-4 4',
  refresh: 'M20 12a8 8 0 1 1-2.500-5.800M20 3.500v4.500h-4.500',
  language:
    'M3 6h9M7.500 3.500V6M5 6c.6 3.500 3 6 6 7.500M10.500 6C10 10 7 13 3.500 14M12.500 20.500l4-10 4 10M14 17h5',
  proof: 'M12 3l7.500 3v6c0 4.500-3 7.800-7.500 9-4.500-1.200-7.500-4.500-7.500-9V6zM12 8v4.500M12 15.400v.1',
  chart: 'M4 4v16h16M7.500 14.500l3.500-4 3 2.500 5-6',
  queue: 'M4 6h16M4 12h16M4 18h9',
  question:
    'M4 4.500h16v12h-7.500L8 20.500v-4H4zM9.700 8.700a2.300 2.300 0 1 1 3.300 2c-.7.3-1 .8-1 1.500M12 14.100v.1',
  info: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 11v5.500M12 7.600v.1',
} as const

export type IconName = keyof typeof PATHS

/** Icons that point along the line of reading turn about in right-to-left pages. */
const TURNS: readonly IconName[] = ['back', 'next', 'signOut', 'speaker', 'queue', 'chart']

export function Icon(props: { readonly name: IconName; readonly size?: 16 | 20 | 24 | 32 }): ReactNode {
  const size = props.size ?? 20
  return (
    <svg
      aria-hidden="true"
      focusable="false"
      viewBox="0 0 24 24"
      width={size}
      height={size}
      fill="none"
      stroke="currentColor"
      strokeWidth="1.8"
      strokeLinecap="round"
      strokeLinejoin="round"
      data-turns={TURNS.includes(props.name) ? '' : undefined}
    >
      <path d={PATHS[props.name]} />
    </svg>
  )
}
