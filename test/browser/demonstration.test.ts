// The demonstration (examples/mdn.ts) in real Chromium: what its page shows, what the browser says it blocked, and what reached the API
// have to agree, for the origin that the API allows and for the one that it does not.
import type { Browser, Frame, Page } from 'playwright-core'
import t, { type Test } from 'tap'
import { start, type Demonstration } from '../../examples/mdn'
import { launch, recordNetwork, SKIPPED, type NetworkRequest } from './launch'

const IDS = ['everyone', 'one-origin', 'preflighted', 'credentialed', 'credentialed-again']
const PATHS = {
  everyone: '/resources/public-data/',
  one: '/resources/public-data/for-one-origin/',
  post: '/resources/post-here/',
  credentials: '/resources/access-control-with-credentials/'
}

/** What the page shows of one attempt: its badge, the lines that say why, and what it says of the outcome. */
interface Shown { badge: string, checks: string[], outcome: string }

async function shown (frame: Frame, id: string): Promise<Shown> {
  const place = frame.locator(`#${id}`)
  return {
    badge: await place.locator('h4 .badge').innerText(),
    checks: await place.locator('li').allInnerTexts(),
    outcome: await place.locator('p:not(.request)').allInnerTexts().then((texts) => texts.join('\n'))
  }
}

async function allShown (frame: Frame): Promise<Record<string, Shown>> {
  const entries: Array<[string, Shown]> = []
  for (const id of IDS) entries.push([id, await shown(frame, id)])
  return Object.fromEntries(entries)
}

const read = (text: string): string => `The page read the response: 200 ${text}`
const kept = 'The page got no response, only TypeError: Failed to fetch. The API did receive and answer the GET: CORS decides who may read a response, it does not keep requests away.'
const DATA = '<?xml version="1.0"?><data>Some public data</data>'

/** What the allowed page has to show, with `visits` earlier accesses by this browser. */
function allowedPage (origin: string, visits = 0): Record<string, Shown> {
  const named = `Passed: Access-Control-Allow-Origin: ${origin} names the origin of this page.`
  const credentials = 'Passed: Access-Control-Allow-Credentials: true allows credentials.'
  const access = (number: number): string => read(number === 1 ? 'I have not met you before.' : `I know you: this is access number ${number}.`)
  return {
    everyone: { badge: 'Allowed', checks: ['Passed: Access-Control-Allow-Origin: * allows every origin, as no credentials are sent.'], outcome: read(DATA) },
    'one-origin': { badge: 'Allowed', checks: [named], outcome: read(DATA) },
    preflighted: {
      badge: 'Allowed',
      checks: [
        named,
        'Passed: Status 200 is one of success.',
        'Passed: Access-Control-Allow-Headers: X-PINGOTHER, Content-Type allows X-PINGOTHER.',
        'Passed: Access-Control-Allow-Headers: X-PINGOTHER, Content-Type allows Content-Type.',
        named
      ],
      outcome: read('Received 55 characters of XML.')
    },
    credentialed: { badge: 'Allowed', checks: [named, credentials], outcome: access(visits + 1) },
    'credentialed-again': { badge: 'Allowed', checks: [named, credentials], outcome: access(visits + 2) }
  }
}

const NOT_SENT = ['Failed: No Access-Control-Allow-Origin was sent, so only pages of the API’s own origin may read this.']
const BLOCKED_PAGE: Record<string, Shown> = {
  everyone: { badge: 'Allowed', checks: ['Passed: Access-Control-Allow-Origin: * allows every origin, as no credentials are sent.'], outcome: read(DATA) },
  'one-origin': { badge: 'Blocked', checks: NOT_SENT, outcome: kept },
  preflighted: {
    badge: 'Blocked',
    checks: NOT_SENT,
    outcome: 'The page got no response, only TypeError: Failed to fetch. The API received the preflight only: the POST itself was never sent.'
  },
  credentialed: { badge: 'Blocked', checks: NOT_SENT, outcome: kept },
  'credentialed-again': { badge: 'Blocked', checks: NOT_SENT, outcome: kept }
}

/** What the API received from an origin, as it was printed. */
function received (printed: readonly string[], origin: string): string[] {
  return printed.flatMap((text) => {
    const [, from, request, status] = /^\n--- .+, from (\S+)\n\n(\S+ \S+) HTTP\/1\.1\n[^]*\nHTTP\/1\.1 (\d+) /.exec(text) ?? []
    return from === origin ? [`${request} ${status}`] : []
  })
}

const FROM_ALLOWED = [`GET ${PATHS.everyone} 200`, `GET ${PATHS.one} 200`, `OPTIONS ${PATHS.post} 200`, `POST ${PATHS.post} 200`, `GET ${PATHS.credentials} 200`, `GET ${PATHS.credentials} 200`]
const FROM_BLOCKED = [`GET ${PATHS.everyone} 200`, `GET ${PATHS.one} 200`, `OPTIONS ${PATHS.post} 403`, `GET ${PATHS.credentials} 200`, `GET ${PATHS.credentials} 200`]

/** What Chromium says it blocked for CORS, of the requests that a page made itself. */
function blocked (requests: readonly NetworkRequest[], document: string): string[] {
  return requests.filter(({ document: each, corsError }) => each === document && corsError !== undefined).map(({ method, url, corsError }) => `${method} ${new URL(url).pathname} ${corsError}`)
}

const BLOCKED_BY_CHROMIUM = [
  `GET ${PATHS.one} MissingAllowOriginHeader`,
  `POST ${PATHS.post} PreflightMissingAllowOriginHeader`,
  `GET ${PATHS.credentials} MissingAllowOriginHeader`,
  `GET ${PATHS.credentials} MissingAllowOriginHeader`
]

async function summary (page: Page): Promise<string[][]> {
  const rows: string[][] = []
  for (const row of await page.locator('#summary tbody tr').all()) rows.push(await row.locator('td').allInnerTexts())
  return rows
}

interface Visit { page: Page, frame: Frame, network: () => readonly NetworkRequest[], end: () => Promise<void> }

/** Opens a page in a browser that has been nowhere, and waits until it and the one in its frame are done. */
async function visit (browser: Browser, origin: string): Promise<Visit> {
  const context = await browser.newContext()
  const page = await context.newPage()
  const network = await recordNetwork(page)
  await page.goto(`${origin}/`)
  await done(page)
  return { page, frame: page.frames().find((each) => each !== page.mainFrame()) as Frame, network, end: () => context.close() }
}

async function done (page: Page): Promise<void> {
  await page.getByText('Both pages have made all their requests.').waitFor()
}

t.test('the demonstration', async (t) => {
  const launched = await launch()
  if (launched === undefined) return t.plan(0, SKIPPED)
  t.teardown(launched.close)
  const { browser } = launched

  const demonstrate = async (t: Test): Promise<Demonstration & { printed: string[] }> => {
    const printed: string[] = []
    const demonstration = await start({ apiPort: 0, pagePort: 0, otherPagePort: 0, print: (text) => printed.push(text) })
    t.teardown(demonstration.close)
    return { ...demonstration, printed }
  }

  t.test('on the page that the API allows', async (t) => {
    const { page: origin, otherPage, api, printed } = await demonstrate(t)
    const { page, frame, network, end } = await visit(browser, origin)
    t.teardown(end)

    t.equal(await page.locator('main h2').innerText(), `From ${origin}`)
    t.equal(await page.locator('#api').innerText(), api)
    t.strictSame(await allShown(page.mainFrame()), allowedPage(origin))
    t.strictSame(blocked(network(), `${origin}/`), [])
    t.strictSame(received(printed, origin), FROM_ALLOWED)
    t.strictSame(await summary(page), [['Allowed', 'Allowed'], ...Array(4).fill(['Allowed', 'Blocked'])])

    t.equal(await frame.locator('main h2').innerText(), `From ${otherPage}`, 'beside the other one, in a frame')
    t.strictSame(await allShown(frame), BLOCKED_PAGE)
    t.equal(await frame.locator('h1').isVisible(), false, 'which is not introduced twice')
    t.strictSame(received(printed, otherPage), FROM_BLOCKED)

    t.equal(await page.locator('.surprise').count() + await frame.locator('.surprise').count(), 0, 'the rules explain all of it')
    const [first, second] = await page.locator('main pre').evaluateAll((nodes: Array<{ textContent: string }>) => nodes.map(({ textContent }) => textContent)).then((texts) => texts.slice(-2))
    t.match(first, /^set-cookie: pageAccess=1;/m, 'the cookie is set')
    t.notMatch(first, /^cookie:/mi)
    t.match(second, /^Cookie: pageAccess=1$/m, 'and sent')
    t.ok(printed.some((text) => text.endsWith(second as string)), 'what the page shows is what was printed')
  })

  t.test('on the page that it does not allow', async (t) => {
    const { page: allowed, otherPage: origin, printed } = await demonstrate(t)
    const { page, frame, network, end } = await visit(browser, origin)
    t.teardown(end)

    t.equal(await page.locator('main h2').innerText(), `From ${origin}`)
    t.strictSame(await allShown(page.mainFrame()), BLOCKED_PAGE)
    t.strictSame(blocked(network(), `${origin}/`), BLOCKED_BY_CHROMIUM)
    t.strictSame(received(printed, origin), FROM_BLOCKED)
    t.strictSame(network().filter(({ preflight }) => preflight).map(({ status }) => status), [403, 200], 'its own preflight, and that of the frame')

    // The browser kept the cookies of the responses that it hid: CORS is about reading only.
    t.strictSame(await allShown(frame), allowedPage(allowed, 2), 'the allowed page is in the frame')
    t.strictSame(received(printed, allowed), FROM_ALLOWED)
    t.strictSame(await summary(page), [['Allowed', 'Allowed'], ...Array(4).fill(['Blocked', 'Allowed'])])
  })

  t.test('once more, while the browser remembers the preflight', async (t) => {
    const { page: origin, printed } = await demonstrate(t)
    const { page, end } = await visit(browser, origin)
    t.teardown(end)
    const before = received(printed, origin).length
    await Promise.all([page.waitForEvent('load'), page.getByRole('button', { name: 'Run again' }).click()])
    await done(page)
    t.strictSame(received(printed, origin).slice(before), FROM_ALLOWED.filter((line) => !line.startsWith('OPTIONS')))
    t.strictSame(await shown(page.mainFrame(), 'preflighted'), {
      badge: 'Allowed',
      checks: [
        'Passed: Access-Control-Max-Age of an earlier preflight’s answer still holds, so the browser remembers what it allowed.',
        `Passed: Access-Control-Allow-Origin: ${origin} names the origin of this page.`
      ],
      outcome: read('Received 55 characters of XML.')
    })
  })
})
