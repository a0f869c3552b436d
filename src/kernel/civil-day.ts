/** The zone whose days count where a law or a person means a day: ages, last days, times in texts. All of India has one. */
export const CIVIL_ZONE = 'Asia/Kolkata'

const days = new Intl.DateTimeFormat('en-CA', { dateStyle: 'short', timeZone: CIVIL_ZONE })

/** The day that it is in India at this moment: `YYYY-MM-DD`. */
export function civilDay(at: Date): string {
  return days.format(at)
}

/** Older than anybody has become: a slip of the pen. */
const AGE_YEARS_MAX = 130

/** Whether somebody who lives now can have been born on this day: one that exists, not to come, within {@link AGE_YEARS_MAX} years. */
export function isBirthDate(text: string, now: Date): boolean {
  const today = civilDay(now)
  const day = new Date(`${text}T00:00:00.000Z`)
  if (Number.isNaN(day.getTime()) || day.toISOString().slice(0, 10) !== text) return false
  return text <= today && text >= `${Number(today.slice(0, 4)) - AGE_YEARS_MAX}${today.slice(4)}`
}
