// The demonstration (npm start) in real Chromium: for every preset, and from both origins, what app.cors.explain predicts, what the page shows, what the
// browser says it blocked and what reached the API have to agree. CORS_SCREENSHOTS=<folder> keeps pictures of it.
import type { Browser, Frame, Page } from 'playwright-core'
import t, { type Test } from 'tap'
import { start, type Demonstration } from '../../examples/demonstration'
import { axe, picture } from './axe'
import { launch, recordNetwork, SKIPPED, type NetworkRequest } from './launch'

const MDN = {
  everyone: '/resources/public-data/',
  one: '/resources/public-data/for-one-origin/',
  post: '/resources/post-here/',
  credentials: '/resources/access-control-with-credentials/'
}

/** What explain has to predict for a page: `null` if it allows, else the reason; and what Chromium has to say. */
interface Expected { reason: string | null, chromium?: string }

const MISSING = 'MissingAllowOriginHeader'
const PREFLIGHT = `Preflight${MISSING}`
const refused = (chromium: string): Expected => ({ reason: 'origin-not-allowed', chromium })
const ALLOWED: Expected = { reason: null }

/** For each preset: its request, and what is so for the partner's page, and for the stranger's. */
const PRESETS: ReadonlyArray<readonly [id: string, request: string, partner: Expected, stranger: Expected]> = [
  ['partner', 'PUT /items/7', ALLOWED, refused(PREFLIGHT)],
  ['public', 'GET /status', ALLOWED, ALLOWED],
  ['off', 'GET /internal', { reason: 'off', chromium: MISSING }, { reason: 'off', chromium: MISSING }],
  ['tenants', 'GET /orders', ALLOWED, refused(MISSING)],
  ['header', 'PUT /items/7', { reason: 'header-not-allowed', chromium: 'HeaderDisallowedByPreflightResponse' }, refused(PREFLIGHT)],
  ['credentials', 'GET /status', { reason: 'credentials-not-allowed', chromium: 'WildcardOriginNotAllowed' }, { reason: 'credentials-not-allowed', chromium: 'WildcardOriginNotAllowed' }],
  ['method', 'DELETE /items/7', { reason: 'method-not-routed', chromium: 'MethodDisallowedByPreflightResponse' }, { reason: 'method-not-routed', chromium: PREFLIGHT }],
  ['route', 'PUT /item/7', { reason: 'no-route', chromium: PREFLIGHT }, { reason: 'no-route', chromium: PREFLIGHT }],
  ['everyone', `GET ${MDN.everyone}`, ALLOWED, ALLOWED],
  ['one-origin', `GET ${MDN.one}`, ALLOWED, refused(MISSING)],
  ['preflighted', `POST ${MDN.post}`, ALLOWED, refused(PREFLIGHT)],
  ['credentialed', `GET ${MDN.credentials}`, ALLOWED, refused(MISSING)],
  ['credentialed-again', `GET ${MDN.credentials}`, ALLOWED, refused(MISSING)]
]

/** What a page shows of an attempt. */
interface Shown { predicted: string, browser: string, reason: string | null, cameTrue: boolean, outcome: string, advice: string | null, exchanges: string[], texts: string[] }

async function shown (frame: Frame): Promise<Shown> {
  const place = frame.locator('#attempt')
  const [predicted, browser] = await place.locator('.badge').allInnerTexts() as [string, string]
  const optional = async (selector: string): Promise<string | null> => await place.locator(selector).allInnerTexts().then(([text]) => text ?? null)
  return {
    predicted,
    browser,
    reason: await optional('dd code'),
    cameTrue: await place.locator('.right').count() === 1,
    outcome: await place.locator('p').allInnerTexts().then((texts) => texts.find((text) => text.startsWith('The page')) as string),
    advice: await optional('.advice'),
    exchanges: await place.locator('h3').allInnerTexts(),
    texts: await place.locator('pre').evaluateAll((nodes: Array<{ textContent: string }>) => nodes.map(({ textContent }) => textContent))
  }
}

/** What the API received from an origin, as it was printed. */
function received (printed: readonly string[], origin: string): string[] {
  return printed.flatMap((text) => {
    const [, from, request, status] = /^\n--- .+, from (\S+)\n\n(\S+ \S+) HTTP\/1\.1\n[^]*\nHTTP\/1\.1 (\d+) /.exec(text) ?? []
    return from === origin ? [`${request} ${status}`] : []
  })
}

/** What Chromium says it blocked for CORS, of the requests that a page made itself. */
function blocked (requests: readonly NetworkRequest[], document: string): string[] {
  return requests.filter(({ document: each, corsError, preflight }) => each === document && corsError !== undefined && !preflight).map(({ method, url, corsError }) => `${method} ${new URL(url).pathname} ${corsError}`)
}

interface Visit { page: Page, frame: Frame, network: () => readonly NetworkRequest[], messages: string[] }

interface VisitOptions { width?: number, height?: number, colorScheme?: 'light' | 'dark', bypassCSP?: boolean }

/** Opens a page in a browser that has been nowhere, and waits until it and the one in its frame have tried the first preset. */
async function visit (t: Test, browser: Browser, origin: string, { width = 1280, height = 900, colorScheme = 'light', bypassCSP = false }: VisitOptions = {}): Promise<Visit> {
  const context = await browser.newContext({ viewport: { width, height }, colorScheme, bypassCSP })
  t.teardown(() => context.close())
  const page = await context.newPage()
  const messages: string[] = []
  page.on('console', (message) => { if (!/CORS policy|^Failed to load resource/.test(message.text())) messages.push(message.text()) })
  page.on('pageerror', (error) => messages.push(String(error)))
  const network = await recordNetwork(page)
  await page.goto(`${origin}/`)
  await tried(page)
  return { page, frame: page.frames().find((each) => each !== page.mainFrame()) as Frame, network, messages }
}

async function tried (page: Page): Promise<void> {
  await page.locator('#progress').getByText(/^From \S+: [\w ]+\. From \S+: [\w ]+\.$/).waitFor()
}

async function tryPreset (page: Page, id: string): Promise<void> {
  await page.locator(`#preset-${id}`).click()
  await tried(page)
}

async function tryAll (page: Page): Promise<string> {
  await page.getByRole('button', { name: 'Try every preset' }).click()
  await page.locator('#score').getByText('predictions came true').waitFor()
  return await page.locator('#score').innerText()
}

t.test('the demonstration works in Chromium', async (t) => {
  const launched = await launch({ flags: ['--hide-scrollbars'] })
  if (launched === undefined) return t.plan(0, SKIPPED)
  t.teardown(launched.close)
  const { browser } = launched

  const demonstrate = async (t: Test): Promise<Demonstration & { printed: string[] }> => {
    const printed: string[] = []
    const demonstration = await start({ apiPort: 0, pagePort: 0, otherPagePort: 0, print: (text) => printed.push(text) })
    t.teardown(demonstration.close)
    return { ...demonstration, printed }
  }

  t.test('the demonstration predicts for every preset what the browser does, from both origins', async (t) => {
    const { api, page: origin, otherPage, printed } = await demonstrate(t)
    const { page, frame, network, messages } = await visit(t, browser, origin)
    t.equal(await page.locator('#api').innerText(), api)
    t.match(await page.locator('#here').innerText(), origin)
    t.match(await frame.locator('#here').innerText(), otherPage)
    t.equal(await frame.locator('h1').isVisible(), false, 'the frame has what it tried, and no more')
    t.equal(await frame.locator('form').isVisible(), false)

    for (const [id, request, partner, stranger] of PRESETS) {
      const before = network().length
      if (id === 'partner') t.equal(await page.locator('#preset-partner').getAttribute('aria-pressed'), 'true', 'the first is tried at once')
      await tryPreset(page, id)
      for (const [each, { reason, chromium }, document] of [[page.mainFrame(), partner, origin], [frame, stranger, otherPage]] as const) {
        const { predicted, browser, reason: said, cameTrue, advice, outcome } = await shown(each)
        const verdict = reason === null ? 'Allowed' : 'Blocked'
        t.strictSame({ predicted, browser, reason: said, cameTrue }, { predicted: verdict, browser: verdict, reason, cameTrue: true }, `${id} from ${document === origin ? 'the partner' : 'the stranger'}`)
        t.strictSame(blocked(network().slice(before), `${document}/`), chromium === undefined ? [] : [`${request} ${chromium}`], 'and so says Chromium')
        if (reason === null) t.match(outcome, /^The page read the response: 200 /)
        else t.match(outcome, /^The page got no response, only TypeError: Failed to fetch\. The API /)
        t.equal(advice === null, reason === null, 'with what to write')
      }
    }
    t.strictSame(await page.locator('#presets button').evaluateAll((buttons: Array<{ id: string }>) => buttons.map(({ id }) => id)), PRESETS.map(([id]) => `preset-${id}`), 'no preset is left out here')
    t.strictSame(messages, [])
    const servers = [api, origin, otherPage]
    t.strictSame(network().map(({ url }) => url).filter((url) => !servers.includes(new URL(url).origin) && url !== 'data:,'), [], 'nothing else is asked')
    t.equal(printed.filter((text) => !text.startsWith('\n---')).length, 1)
  })

  t.test('the demonstration tries every preset at once, from whichever page is opened', async (t) => {
    const { page: origin, otherPage } = await demonstrate(t)
    const badge = ({ reason }: Expected): string => reason === null ? 'Allowed' : 'Blocked'
    for (const opened of [origin, otherPage]) {
      const { page } = await visit(t, browser, opened)
      t.equal(await tryAll(page), `${PRESETS.length * 2} of ${PRESETS.length * 2} predictions came true.`)
      for (const [id, , partner, stranger] of PRESETS) {
        const verdicts = (opened === origin ? [partner, stranger] : [stranger, partner]).flatMap((expected) => [badge(expected), badge(expected)])
        t.strictSame(await page.locator(`#summary-${id} td`).allInnerTexts(), verdicts, id)
      }
      if (opened === origin) {
        await page.getByRole('link', { name: 'This page from the other origin' }).click()
        await tried(page)
        t.equal(page.url(), `${otherPage}/`)
      }
    }
  })

  t.test('the demonstration shows every exchange of MDN’s scenarios, and the code of their policies', async (t) => {
    const { page: origin, otherPage, printed } = await demonstrate(t)
    const { page, frame } = await visit(t, browser, origin)
    const before = printed.length
    const own: Shown[] = []
    const others: Shown[] = []
    for (const id of ['everyone', 'one-origin', 'preflighted', 'credentialed', 'credentialed-again']) {
      await tryPreset(page, id)
      own.push(await shown(page.mainFrame()))
      others.push(await shown(frame))
      t.match(await page.locator('#code').innerText(), id === 'everyone' ? "origin: '*'" : 'origin: allowedOrigin')
    }
    const exchanged = printed.slice(before)
    t.strictSame(received(exchanged, origin), [`GET ${MDN.everyone} 200`, `GET ${MDN.one} 200`, `OPTIONS ${MDN.post} 200`, `POST ${MDN.post} 200`, `GET ${MDN.credentials} 200`, `GET ${MDN.credentials} 200`])
    t.strictSame(received(exchanged, otherPage), [`GET ${MDN.everyone} 200`, `GET ${MDN.one} 200`, `OPTIONS ${MDN.post} 403`, `GET ${MDN.credentials} 200`, `GET ${MDN.credentials} 200`])
    const texts = (from: string): string[] => exchanged.filter((text) => text.split('\n')[1]?.endsWith(`, from ${from}`)).map((text) => text.split('\n').slice(3).join('\n'))
    t.strictSame(own.flatMap(({ texts }) => texts), texts(origin), 'what the page shows is what was printed')
    t.strictSame(others.flatMap(({ texts }) => texts), texts(otherPage))
    t.strictSame(own.map(({ exchanges }) => exchanges), [['Request'], ['Request'], ['Preflight', 'Request'], ['Request'], ['Request']])
    t.strictSame(own.map(({ outcome }) => outcome.replace('The page read the response: ', '')), [
      '200 <?xml version="1.0"?><data>Some public data</data>', '200 <?xml version="1.0"?><data>Some public data</data>', '200 Received 55 characters of XML.', '200 I have not met you before.',
      // The browser kept the cookie of the response that it hid from the other page: CORS is about reading only.
      '200 I know you: this is access number 3.'
    ])
    t.match(others[2]?.outcome, /The API received the preflight only: the POST itself was never sent\.$/)
    t.match(others[3]?.outcome, /The API did receive and answer the GET: CORS decides who may read a response, it does not keep requests away\.$/)
    t.match(own[3]?.texts[0], /^set-cookie: pageAccess=1;/m, 'the cookie is set')
    t.match(own[4]?.texts[0], /^Cookie: pageAccess=2$/m, 'and sent')

    await tryPreset(page, 'preflighted')
    t.strictSame((await shown(page.mainFrame())).exchanges, ['Request'], 'the preflight is remembered')
    t.equal(await page.getByText('No preflight this time').count(), 1, 'and the page says so')
  })

  t.test('the demonstration follows the list of tenants while it changes', async (t) => {
    const { page: origin, otherPage } = await demonstrate(t)
    const { page, frame } = await visit(t, browser, origin)
    await tryPreset(page, 'tenants')
    t.match(await page.locator('#code').innerText(), /^tenant: \{ origin: tenants \}\n\napp\.get\('\/orders'/)
    const verdicts = async (): Promise<string[]> => await Promise.all([page.mainFrame(), frame].map(async (each) => { const { predicted, browser } = await shown(each); return `${predicted} ${browser}` }))
    t.strictSame(await verdicts(), ['Allowed Allowed', 'Blocked Blocked'])
    for (const [tenant, checked, expected] of [[otherPage, true, ['Allowed Allowed', 'Allowed Allowed']], [origin, false, ['Blocked Blocked', 'Allowed Allowed']]] as const) {
      const changed = page.waitForResponse((response) => response.url().endsWith('/tenants'))
      await page.getByRole('group', { name: /originList/ }).getByLabel(tenant).setChecked(checked)
      await changed
      await page.locator('#progress').getByText(`From ${origin}: ${expected[0].startsWith('A') ? 'allowed' : 'blocked'}. From ${otherPage}: allowed.`).waitFor()
      t.strictSame(await verdicts(), expected)
    }
    await page.reload()
    await tried(page)
    t.equal(await page.getByRole('checkbox', { name: origin }).isChecked(), false, 'as the list is now')
    t.equal(await page.getByRole('checkbox', { name: otherPage }).isChecked(), true)
  })

  t.test('the demonstration tries any request that is entered, and says what is wrong with one that cannot be asked', async (t) => {
    const { page: origin, otherPage, printed } = await demonstrate(t)
    const { page, frame, messages } = await visit(t, browser, origin)
    const form = async (values: { method?: string, path?: string, headers?: string, body?: string }): Promise<void> => {
      for (const [id, value] of Object.entries({ method: '', path: '', headers: '', body: '', ...values })) await page.locator(`#${id}`).fill(value)
      await page.locator('#credentials').setChecked(false)
      await page.getByRole('button', { name: 'Try it from both origins' }).click()
      await tried(page)
    }
    await form({ path: '/items/8', method: 'PUT', headers: 'content-type: application/json\nX-A: 1\nX-A: 2', body: '{}' })
    t.match(await shown(page.mainFrame()), { reason: 'header-not-allowed', cameTrue: true, exchanges: ['Preflight'] })
    await form({ path: 'status', body: 'no body with GET' })
    t.match(await shown(page.mainFrame()), { predicted: 'Allowed', browser: 'Allowed', outcome: 'The page read the response: 200 {"status":"ok"}' })
    await form({ path: '//evil.example/status' })
    t.match(await shown(page.mainFrame()), { reason: 'no-route', browser: 'Blocked' }, 'of the API, and of no other server')
    await form({ method: 'TRACE', path: '/status' })
    t.match(await shown(page.mainFrame()), { reason: 'forbidden-method', cameTrue: true, exchanges: [], outcome: /Nothing of it reached the API\.$/ })
    await form({ path: '/' })
    t.equal(await page.locator('#code').innerText(), '// No route, so no policy.')

    const before = printed.length
    const html = '<img src=x onerror="document.title=1">'
    await form({ method: html, path: '/status', headers: `${html}: 1` })
    for (const each of [page.mainFrame(), frame]) {
      t.match(await each.locator('#attempt').innerText(), /^Not asked\s+app\.cors\.explain: 2 problems[^]*is not a method; write [^]*is not the name of a header; write /)
      t.equal(await each.locator('#attempt img').count(), 0, 'as text')
    }
    t.equal(await page.locator('#progress').innerText(), `From ${origin}: not asked. From ${otherPage}: not asked.`)
    t.equal(printed.length, before, 'nothing was sent')
    t.strictSame(messages, [])
  })

  t.test('the demonstration gives the frame its height before it is scrolled to', async (t) => {
    const { page: origin } = await demonstrate(t)
    const { page, frame } = await visit(t, browser, origin, { width: 390, height: 600 })
    const fits = async (): Promise<void> => {
      const { y: top, height } = await page.locator('#other').boundingBox() as { y: number, height: number }
      t.ok(top > 600, 'it is out of sight')
      t.equal(height, await frame.evaluate('document.documentElement.offsetHeight'))
      t.ok(height > 300)
    }
    await fits()
    await tryPreset(page, 'public')
    await fits()
    const narrow = (await page.locator('#other').boundingBox())?.width
    await page.setViewportSize({ width: 700, height: 600 })
    const size = async (): Promise<number[]> => await page.locator('#other').boundingBox().then((box) => [box?.width ?? 0, box?.height ?? 0])
    const content = async (): Promise<unknown> => await frame.evaluate('[innerWidth, document.documentElement.offsetHeight]')
    while ((await size())[0] === narrow || String(await size()) !== String(await content())) await new Promise((resolve) => setTimeout(resolve, 20))
    await fits()
    t.equal(await page.evaluate('scrollY'), 0)
  })

  t.test('the demonstration links to the inspector', async (t) => {
    const { api, page: origin } = await demonstrate(t)
    const { page } = await visit(t, browser, origin)
    await page.getByRole('link', { name: 'The API’s inspector' }).click()
    await page.getByText('shown').waitFor()
    t.equal(page.url(), `${api}/_cors/`)
    t.equal(await page.getByRole('row', { name: 'PUT /items/:id' }).getByRole('cell').first().innerText(), 'partner')
  })

  for (const colorScheme of ['light', 'dark'] as const) {
    for (const width of [390, 1280]) {
      t.test(`the demonstration has no violation that axe-core finds, in ${colorScheme}, ${width} pixels wide`, async (t) => {
        const { page: origin } = await demonstrate(t)
        const { page, frame } = await visit(t, browser, origin, { width, colorScheme, bypassCSP: true })
        const check = async (state: string): Promise<void> => {
          await page.locator('#other').scrollIntoViewIfNeeded()
          // The first heading of a frame is that of the page around it.
          for (const [each, passes, off] of [[page, 20, []], [frame, 10, ['page-has-heading-one']]] as const) {
            const found = await axe(each, off)
            t.strictSame(found.violations, [], state)
            t.ok(found.passes > passes, `${found.passes} rules pass`)
            t.equal(await each.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth'), 0, 'nothing is cut off or scrolls sideways')
          }
          await picture(page, `demonstration-${colorScheme}-${width}-${state}`)
        }
        await tryAll(page)
        await tryPreset(page, 'header')
        await check('blocked')
        await page.locator('#method').fill('P T')
        await page.getByRole('button', { name: 'Try it from both origins' }).click()
        await tried(page)
        await check('not-asked')
      })
    }
  }
})
