// Runs the conformance cases in Chromium: opens a page of every origin, has them make the requests, and gathers what they saw, why Chromium
// blocked what it blocked, and what reached the servers.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import type { Browser, BrowserContext, Frame, Page } from 'playwright-core'
import { urlFor, type Case, type Step } from '../conformance/case'
import { comparable, type Outcome } from '../conformance/expectation'
import type { PageName, World } from '../conformance/world'
import { recordNetwork, type NetworkRequest } from './launch'

const RUNNER = readFileSync(join(__dirname, 'page-runner.js'), 'utf8')

export interface Observed {
  readonly steps: readonly Outcome[]
  /** Chromium's reasons, Network.CorsError of the DevTools protocol, in the order of the requests. */
  readonly reasons: readonly string[]
}

/** What is compared of a case: also what reached the servers. */
export interface Comparable extends Observed {
  readonly reached: readonly string[]
}

interface OpenPage {
  readonly target: Page | Frame
  readonly network: () => readonly NetworkRequest[]
}

/** Runs every case with a number of its own, the first one's being `firstId`. */
export async function observe (browser: Browser, world: World, cases: readonly Case[], firstId: number): Promise<Observed[]> {
  const context = await browser.newContext({ ignoreHTTPSErrors: true })
  try {
    return await new Visit(context, world).observe(cases, firstId)
  } finally {
    await context.close()
  }
}

class Visit {
  readonly #pages = new Map<PageName, Promise<OpenPage>>()

  constructor (readonly context: BrowserContext, readonly world: World) {}

  async observe (cases: readonly Case[], firstId: number): Promise<Observed[]> {
    await this.#logIn()
    const outcomes = new Map<Case, Outcome[]>()
    const ids = new Map(cases.map((each, index) => [each, firstId + index]))
    // Cases of one page run together; those of several, step by step.
    const ofPage = new Map<PageName, Case[]>()
    const ofSeveral: Case[] = []
    for (const each of cases) {
      const [name, ...others] = new Set(each.steps.map(({ from }) => from))
      if (name === undefined || others.length > 0) ofSeveral.push(each)
      else ofPage.set(name, [...ofPage.get(name) ?? [], each])
    }
    await Promise.all([...ofPage].map(async ([name, each]) => {
      const results = await this.#run(name, each.map(({ steps }) => steps), each.map((one) => ids.get(one) as number))
      for (const [index, one] of each.entries()) outcomes.set(one, results[index] as Outcome[])
    }))
    for (const each of ofSeveral) {
      const result: Outcome[] = []
      for (const step of each.steps) result.push(...(await this.#run(step.from, [[step]], [ids.get(each) as number])).flat())
      outcomes.set(each, result)
    }
    const networks = await Promise.all(this.#pages.values())
    await Promise.all(networks.map(ended))
    const reasons = new Map<number, string[]>()
    for (const { url, corsError } of networks.flatMap(({ network }) => network())) {
      const id = Number(new URL(url).searchParams.get('case'))
      if (corsError !== undefined) reasons.set(id, [...reasons.get(id) ?? [], corsError])
    }
    return cases.map((each) => ({
      steps: (outcomes.get(each) as Outcome[]).map((outcome, index) => comparable(each.steps[index] as Step, sorted(outcome))),
      reasons: reasons.get(ids.get(each) as number) ?? []
    }))
  }

  /** The cookies come as they do to users: from a page of the API's host. */
  async #logIn (): Promise<void> {
    const page = await this.context.newPage()
    await page.goto(`${this.world.apis.site}/login`)
    await page.goto(`${this.world.apis.secureSite}/secure-login`)
    await page.close()
  }

  async #run (name: PageName, cases: ReadonlyArray<readonly Step[]>, ids: readonly number[]): Promise<Outcome[][]> {
    if (!this.#pages.has(name)) this.#pages.set(name, this.#open(name))
    const { target } = await this.#pages.get(name) as OpenPage
    const steps = cases.map((each, index) => each.map(({ means, ...step }) => ({ ...step, url: urlFor(step.url, ids[index] as number) })))
    return await target.evaluate(`(${RUNNER.slice(RUNNER.indexOf('(function')).trim()})()(${JSON.stringify(steps)})`)
  }

  async #open (name: PageName): Promise<OpenPage> {
    const page = await this.context.newPage()
    const url = `${this.world.pages[name === 'sandboxed' ? 'app' : name]}/page`
    await page.goto(url)
    if (name !== 'sandboxed') return { target: page, network: await recordNetwork(page) }
    await page.evaluate(`new Promise((resolve) => {
      const frame = document.createElement('iframe')
      frame.sandbox = 'allow-scripts'
      frame.src = ${JSON.stringify(url)}
      frame.onload = resolve
      document.body.append(frame)
    })`)
    const frame = page.frames().find((each) => each !== page.mainFrame()) as Frame
    return { target: frame, network: await recordNetwork(frame) }
  }
}

/** Pages know outcomes a little before the DevTools protocol tells of them. */
async function ended ({ network }: OpenPage): Promise<void> {
  const unfinished = (): NetworkRequest[] => network().filter(({ url, preflight, ended }) => url.includes('case=') && !preflight && ended !== true)
  for (let waits = 0; unfinished().length > 0; waits++) {
    if (waits === 100) throw new Error(`Chromium never told of the end of ${unfinished().map(({ method, url }) => `${method} ${url}`).join(', ')}`)
    await setTimeout(50)
  }
}

function sorted ({ headerNames, ...outcome }: Outcome): Outcome {
  return headerNames === undefined ? outcome : { ...outcome, headerNames: [...headerNames].sort() }
}

/** Whether a page's own session tells Chromium's reasons: workers have sessions of their own. */
export function tellsReason ({ by }: Step): boolean {
  return by !== 'worker'
}
