/** English and the 22 languages of the Eighth Schedule, in one of which a notice must be offered (DPDP s.5(3)), by their own names. */
export const LANGUAGES = {
  en: { name: 'English', english: 'English' },
  as: { name: 'অসমীয়া', english: 'Assamese' },
  bn: { name: 'বাংলা', english: 'Bengali' },
  brx: { name: 'बड़ो', english: 'Bodo' },
  doi: { name: 'डोगरी', english: 'Dogri' },
  gu: { name: 'ગુજરાતી', english: 'Gujarati' },
  hi: { name: 'हिन्दी', english: 'Hindi' },
  kn: { name: 'ಕನ್ನಡ', english: 'Kannada' },
  ks: { name: 'کٲشُر', english: 'Kashmiri', rightToLeft: true },
  kok: { name: 'कोंकणी', english: 'Konkani' },
  mai: { name: 'मैथिली', english: 'Maithili' },
  ml: { name: 'മലയാളം', english: 'Malayalam' },
  mni: { name: 'মৈতৈলোন্', english: 'Manipuri' },
  mr: { name: 'मराठी', english: 'Marathi' },
  ne: { name: 'नेपाली', english: 'Nepali' },
  or: { name: 'ଓଡ଼ିଆ', english: 'Odia' },
  pa: { name: 'ਪੰਜਾਬੀ', english: 'Punjabi' },
  sa: { name: 'संस्कृतम्', english: 'Sanskrit' },
  sat: { name: 'ᱥᱟᱱᱛᱟᱲᱤ', english: 'Santali' },
  sd: { name: 'سنڌي', english: 'Sindhi', rightToLeft: true },
  ta: { name: 'தமிழ்', english: 'Tamil' },
  te: { name: 'తెలుగు', english: 'Telugu' },
  ur: { name: 'اردو', english: 'Urdu', rightToLeft: true },
} as const satisfies Readonly<
  Record<string, { readonly name: string; readonly english: string; readonly rightToLeft?: true }>
>

export type Language = keyof typeof LANGUAGES

/** Reads a language tag such as `hi` or `hi-IN`; undefined when it is none of {@link LANGUAGES}. */
export function parseLanguage(tag: string): Language | undefined {
  const [code = ''] = tag.trim().toLowerCase().split('-')
  return Object.hasOwn(LANGUAGES, code) ? (code as Language) : undefined
}
