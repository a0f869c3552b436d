/** The zone whose days count where a law or a person means a day: ages, last days, times in texts. All of India has one. */
export const CIVIL_ZONE = 'Asia/Kolkata'

const days = new Intl.DateTimeFormat('en-CA', { dateStyle: 'short', timeZone: CIVIL_ZONE })

/** The day that it is in India at this moment: `YYYY-MM-DD`. */
export function civilDay(at: Date): string {
  return days.format(at)
}
