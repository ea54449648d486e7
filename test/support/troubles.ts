// The table of docs/troubleshooting.md, for the tests that hold it against explain and against the browsers.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { CorsRefusalReason } from '../../lib/index'

/** Every reason, in the order of the table: the compiler says where one is missing. */
export const REASONS = Object.keys({
  'no-route': 0,
  'no-policy': 0,
  off: 0,
  'origin-not-allowed': 0,
  'null-origin': 0,
  'invalid-origin': 0,
  'method-not-routed': 0,
  'header-not-allowed': 0,
  'credentials-not-allowed': 0,
  'ambiguous-route': 0,
  'answered-before': 0,
  'invalid-request-headers': 0,
  'forbidden-method': 0,
  'origin-function-failed': 0
} satisfies Record<CorsRefusalReason, 0>) as CorsRefusalReason[]

export const BROWSERS = ['Chromium', 'Firefox', 'WebKit'] as const

export interface Trouble {
  readonly reason: string
  /** What the console of each browser says. */
  readonly says: Readonly<Record<typeof BROWSERS[number], string>>
  /** The advice, where `…` stands for anything. */
  readonly advice: RegExp
}

const text = readFileSync(join(__dirname, '..', '..', 'docs', 'troubleshooting.md'), 'utf8')

export const troubles: readonly Trouble[] = [...text.matchAll(/^\| `([\w-]+)` \| [^|]+ \| (Chromium: .+) \| `(.+)` \|$/gm)].map(([, reason = '', says = '', advice = '']) => ({
  reason,
  says: Object.fromEntries(BROWSERS.map((browser) => [browser, new RegExp(`${browser}: \`([^\`]+)\``).exec(says)?.[1] ?? ''])) as Trouble['says'],
  advice: new RegExp(`^${advice.split('…').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('.+')}$`)
}))
