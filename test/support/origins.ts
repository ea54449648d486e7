// The origins that tests use. Imports nothing, so that a test may choose when the package is first imported.

/** The two hosts of MDN's article: the page's origin, and the API's. */
export const FOO = 'https://foo.example'
export const BAR = 'https://bar.other'

/** An origin that nobody allows. */
export const EVIL = 'https://evil.test'
