// Runs random endings of responses for test/fuzzing/responses.test.ts: as many as it asks for, from the seed that it gives.
import fc from 'fast-check'
import { observe } from './application'
import { endings, type Ending } from './ending'
import { faults } from './oracle'

export interface Sums { cases: number, answered: number, permitted: number, uncaughtByFastify: number }

/** Runs so many cases; throws the first that is wrong, shrunk, and what nobody caught. */
export async function fuzz (numRuns: number, seed: number): Promise<Sums> {
  const sums: Sums = { cases: 0, answered: 0, permitted: 0, uncaughtByFastify: 0 }
  let uncaught: unknown
  const keep = (error: unknown): void => { uncaught = error ?? 'nothing was thrown' }
  process.on('uncaughtException', keep)
  process.on('unhandledRejection', keep)
  try {
    await fc.assert(fc.asyncProperty(endings, async (ending: Ending) => {
      uncaught = undefined
      const observed = await observe(ending)
      sums.cases++
      if (observed.headers !== undefined) sums.answered++
      if (observed.headers?.['access-control-allow-origin'] !== undefined) sums.permitted++
      if (uncaught !== undefined) {
        // A time-out that fires inside an asynchronous onError hook ends the process also without the plugin, and so do a few others.
        const error = uncaught
        let isFastifys = false
        for (let run = 0; run < 3 && !isFastifys; run++) {
          await observe(ending, false)
          isFastifys = uncaught !== error
        }
        if (!isFastifys) throw new Error(`uncaught: ${String((error as Error).stack ?? error)}`)
        sums.uncaughtByFastify++
      }
      const found = faults(ending, observed)
      if (found.length > 0) throw new Error(`${found.join('\n')}\n${observed.trace.join(', ')}`)
    }), { numRuns, seed })
  } finally {
    process.off('uncaughtException', keep)
    process.off('unhandledRejection', keep)
  }
  return sums
}
