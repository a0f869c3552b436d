/** The languages of the law: English and the 22 of the Eighth Schedule (DPDP s.6(3)), each by its own name. BCP 47 codes. */
export const LANGUAGES = {
  en: { name: 'English', english: 'English' },
  hi: { name: 'हिन्दी', english: 'Hindi' },
  bn: { name: 'বাংলা', english: 'Bengali' },
  mr: { name: 'मराठी', english: 'Marathi' },
  te: { name: 'తెలుగు', english: 'Telugu' },
  ta: { name: 'தமிழ்', english: 'Tamil' },
  gu: { name: 'ગુજરાતી', english: 'Gujarati' },
  ur: { name: 'اردو', english: 'Urdu', dir: 'rtl' },
  kn: { name: 'ಕನ್ನಡ', english: 'Kannada' },
  or: { name: 'ଓଡ଼ିଆ', english: 'Odia' },
  ml: { name: 'മലയാളം', english: 'Malayalam' },
  pa: { name: 'ਪੰਜਾਬੀ', english: 'Punjabi' },
  as: { name: 'অসমীয়া', english: 'Assamese' },
  brx: { name: 'बड़ो', english: 'Bodo' },
  doi: { name: 'डोगरी', english: 'Dogri' },
  ks: { name: 'کٲشُر', english: 'Kashmiri', dir: 'rtl' },
  kok: { name: 'कोंकणी', english: 'Konkani' },
  mai: { name: 'मैथिली', english: 'Maithili' },
  mni: { name: 'মৈতৈলোন্', english: 'Manipuri' },
  ne: { name: 'नेपाली', english: 'Nepali' },
  sa: { name: 'संस्कृतम्', english: 'Sanskrit' },
  sat: { name: 'ᱥᱟᱱᱛᱟᱲᱤ', english: 'Santali' },
  sd: { name: 'سنڌي', english: 'Sindhi', dir: 'rtl' },
} as const satisfies Record<string, { readonly name: string; readonly english: string; readonly dir?: 'rtl' }>

export type Language = keyof typeof LANGUAGES

/** Languages whose patient-facing words are whole; the others have the consent and notice screens, the rest is English. */
export const WHOLE_LANGUAGES: readonly Language[] = [
  'en',
  'hi',
  'bn',
  'mr',
  'te',
  'ta',
  'gu',
  'ur',
  'kn',
  'or',
  'ml',
  'pa',
]

export function isLanguage(text: string): text is Language {
  return Object.hasOwn(LANGUAGES, text)
}

export function directionOf(language: Language): 'ltr' | 'rtl' {
  return 'dir' in LANGUAGES[language] ? 'rtl' : 'ltr'
}

/** The language that was chosen on this device, else the first known one of the browser, else English. */
export function pickLanguage(chosen: string | null, wanted: readonly string[]): Language {
  const tags = [...(chosen === null ? [] : [chosen]), ...wanted]
  return tags.map((tag) => tag.toLowerCase().split('-')[0] ?? '').find(isLanguage) ?? 'en'
}
