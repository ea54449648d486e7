// Runs conformance cases in a browser: opens a page of every origin, has the pages make the requests, and gathers what they saw and why the
// browser blocked what it blocked.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { urlFor, type Case, type Step } from '../conformance/case'
import { comparable, type Outcome } from '../conformance/expectation'
import type { PageName, World } from '../conformance/world'
import type { Engine, EngineReason, OpenPage, RunningBrowser } from './engine'

const SOURCE = readFileSync(join(__dirname, 'page-runner.js'), 'utf8')
const RUNNER = SOURCE.slice(SOURCE.indexOf('(function')).trim()

export interface Observed {
  readonly steps: readonly Outcome[]
  /** The browser's own reasons, in the order of the requests. */
  readonly reasons: readonly EngineReason[]
}

/** What is compared of a case: also what reached the servers. */
export interface Comparable extends Observed {
  readonly reached: readonly string[]
}

/** The hosts of all places, which the browser has to find. */
export function hostsOf ({ pages, apis }: World): string[] {
  const origins = [...Object.values<string>(pages), ...Object.values<string>(apis)].filter((origin) => origin !== 'null')
  return [...new Set(origins.map((origin) => new URL(origin).hostname))]
}

/** Runs every case with a number of its own, the first one's being `firstId`. */
export async function observe (browser: RunningBrowser, { casesAtOnce }: Engine, world: World, cases: readonly Case[], firstId: number): Promise<Observed[]> {
  const pages = new Map<PageName, Promise<OpenPage>>()
  const numbered = cases.map((each, index) => ({ ...each, id: firstId + index }))

  const run = async (name: PageName, each: ReadonlyArray<{ id: number, steps: readonly Step[] }>): Promise<Outcome[][]> => {
    const opening = pages.get(name) ?? browser.open(`${world.pages[name === 'sandboxed' ? 'app' : name]}/page`, name === 'sandboxed')
    pages.set(name, opening)
    const page = await opening
    const asked = each.map(({ id, steps }) => ({ id, steps: steps.map(({ means, ...step }) => ({ ...step, url: urlFor(step.url, id) })) }))
    return await page.evaluate(`(${RUNNER})()(${JSON.stringify(asked)}, ${casesAtOnce})`) as Outcome[][]
  }

  await logIn(browser, world)
  const outcomes = new Map<number, Outcome[]>()
  // Cases of one page run together; those of several, step by step.
  const ofOnePage = grouped(numbered, ({ steps }) => new Set(steps.map(({ from }) => from)).size === 1 ? steps[0]?.from : undefined)
  await Promise.all([...ofOnePage].map(async ([name, each]) => {
    if (name === undefined) return
    const results = await run(name, each)
    for (const [index, { id }] of each.entries()) outcomes.set(id, results[index] as Outcome[])
  }))
  for (const { id, steps } of ofOnePage.get(undefined) ?? []) {
    const result: Outcome[] = []
    for (const step of steps) result.push(...(await run(step.from, [{ id, steps: [step] }])).flat())
    outcomes.set(id, result)
  }
  const blocked = grouped(await browser.blocked(), ({ id }) => id)
  return numbered.map(({ id, steps }) => ({
    steps: (outcomes.get(id) as Outcome[]).map((outcome, index) => comparable(steps[index] as Step, sorted(outcome))),
    reasons: blocked.get(id)?.map(({ reason }) => reason) ?? []
  }))
}

/** The cookies come as they do to users: from a page of the API's host. */
async function logIn (browser: RunningBrowser, { apis: { site, secureSite } }: World): Promise<void> {
  await browser.open(`${site}/login`)
  await browser.open(`${secureSite}/secure-login`)
}

function grouped <Item, Key> (items: readonly Item[], keyOf: (item: Item) => Key): Map<Key, Item[]> {
  const groups = new Map<Key, Item[]>()
  for (const item of items) groups.set(keyOf(item), [...groups.get(keyOf(item)) ?? [], item])
  return groups
}

function sorted ({ headerNames, ...outcome }: Outcome): Outcome {
  return headerNames === undefined ? outcome : { ...outcome, headerNames: [...headerNames].sort() }
}
