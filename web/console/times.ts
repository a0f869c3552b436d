import { useMemo } from 'react'

/** `11:15:44.073` in the time of the device and in the digits of logs, in every language: to be compared with what programs write. */
export function useExactTime(): (at: string) => string {
  return useMemo(() => {
    const format = new Intl.DateTimeFormat('en-GB', {
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
      fractionalSecondDigits: 3,
      hour12: false,
    })
    return (at) => format.format(new Date(at))
  }, [])
}
