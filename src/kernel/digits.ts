/** Zeros of the scripts of India, and of Arabic (Unicode, decimal digits: nine more follow each). */
const ZEROS = [0x0660, 0x06f0, 0x0966, 0x09e6, 0x0a66, 0x0ae6, 0x0b66, 0x0be6, 0x0c66, 0x0ce6, 0x0d66, 0x1c50]

/** The text with digits of other scripts as 0 to 9: who reads Urdu numbers may type them. */
export function plainDigits(text: string): string {
  return text.replaceAll(/\p{Nd}/gu, (digit) => {
    const at = digit.codePointAt(0) ?? 0
    const zero = ZEROS.find((each) => at >= each && at <= each + 9)
    return zero === undefined ? digit : String(at - zero)
  })
}
