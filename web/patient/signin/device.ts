import { deviceOf } from '../../../src/people/session.ts'

/** `Chrome, Android`: how the list of devices and passkeys names this one; undefined when the browser does not say. */
export function deviceName(userAgent: string): string | undefined {
  return deviceOf(userAgent) || undefined
}
