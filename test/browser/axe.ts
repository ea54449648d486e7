// What axe-core, the accessibility checker, finds on a page in the browser; and pictures of it, for human eyes.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Frame, Page } from 'playwright-core'

interface AxeResults { violations: Array<{ id: string, nodes: Array<{ target: unknown, failureSummary?: string }> }>, passes: unknown[] }

const AXE = readFileSync(join(__dirname, '..', '..', 'node_modules', 'axe-core', 'axe.min.js'), 'utf8')

/** Needs a context with `bypassCSP`. */
export async function axe (page: Page | Frame, rulesOff: readonly string[] = []): Promise<{ violations: string[], passes: number }> {
  await page.evaluate(AXE)
  const { violations, passes } = await page.evaluate(`axe.run(document, { rules: ${JSON.stringify(Object.fromEntries(rulesOff.map((rule) => [rule, { enabled: false }])))} })`) as AxeResults
  return { violations: violations.flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary }) => `${id} ${String(target)}: ${failureSummary}`)), passes: passes.length }
}

/** Keeps a picture of the whole page in the folder CORS_SCREENSHOTS, if there is one. */
export async function picture (page: Page, name: string): Promise<void> {
  const folder = process.env['CORS_SCREENSHOTS']
  if (folder !== undefined) await page.screenshot({ path: join(folder, `${name}.png`), fullPage: true })
}
