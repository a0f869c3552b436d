import { LIMITS } from '../kernel/limits.ts'

/** What a patient was told of emergencies of one facility. */
export type EmergencyTexts = {
  /** Texts about one emergency each, since then. */
  readonly dayBegan: Date
  readonly sent: number
  /** Emergencies of which a text that is planned tells together. */
  readonly held: number
  /** When the newest text about several went out. */
  readonly togetherAt?: Date
}

/** How a patient hears of one more emergency: by a text of its own, or with others of the hour at `at`; `isPlanned` when that text is already. */
export type TextStep =
  | { readonly how: 'alone'; readonly texts: EmergencyTexts }
  | { readonly how: 'together'; readonly at: Date; readonly isPlanned: boolean; readonly texts: EmergencyTexts }

/** `LIMITS.emergenciesPerPatientDayMax` texts a day are about one emergency each; what comes beyond is told together, once an hour. */
export function nextText(before: EmergencyTexts | undefined, now: Date): TextStep {
  const isNewDay = before === undefined || now.getTime() - before.dayBegan.getTime() >= LIMITS.emergencyDayMs
  const texts = isNewDay ? { ...(before ?? { held: 0 }), dayBegan: now, sent: 0 } : before
  if (texts.sent < LIMITS.emergenciesPerPatientDayMax)
    return { how: 'alone', texts: { ...texts, sent: texts.sent + 1 } }
  const soonest = (texts.togetherAt?.getTime() ?? 0) + LIMITS.emergencyTextEveryMs
  const at = new Date(Math.max(now.getTime(), soonest))
  return { how: 'together', at, isPlanned: texts.held > 0, texts: { ...texts, held: texts.held + 1 } }
}
