// Tells which line of the user's program is running: that of a route's declaration, or of a registration.
import { dirname, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

/** This package's own folder, whose lines are not the user's. */
const OWN = dirname(__dirname) + sep

/** How many calls are looked at. Some plugins declare routes from deep within. */
const DEPTH = 50

/** A line of `stack`: `at name (file:line:column)` or `at file:line:column`. */
const FRAME = /(?:\(|at (?:async )?)((?:file:\/\/)?[^()]+):(\d+):(\d+)\)?$/

/** `app.js:12:5`, relative to the working directory; undefined if only packages and Node are running. */
export function callerLocation (): string | undefined {
  const { stackTraceLimit } = Error
  Error.stackTraceLimit = DEPTH
  const { stack = '' } = new Error()
  Error.stackTraceLimit = stackTraceLimit
  for (const line of stack.split('\n').slice(1)) {
    const [, place, row, column] = FRAME.exec(line) ?? []
    if (place === undefined || place.startsWith('node:')) continue
    const file = place.startsWith('file:') ? fileURLToPath(place) : place
    if (file.startsWith(OWN) || file.includes(`${sep}node_modules${sep}`)) continue
    return `${relative(process.cwd(), file).split(sep).join('/')}:${row}:${column}`
  }
  return undefined
}
