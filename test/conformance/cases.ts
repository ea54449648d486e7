// The table of the conformance cases: every area, in some world.
import type { Case } from './case'
import { credentials } from './cases/credentials'
import { enforcement } from './cases/enforcement'
import { methods } from './cases/methods'
import { origins } from './cases/origins'
import { preflights } from './cases/preflights'
import { requestHeaders } from './cases/request-headers'
import { responseHeaders } from './cases/response-headers'
import { caches, elements, errors, redirects, streams } from './cases/responses'
import type { World } from './world'

export function casesOf (world: World): Case[] {
  return [origins, methods, requestHeaders, responseHeaders, credentials, preflights, errors, redirects, streams, elements, caches, enforcement].flatMap((area) => area(world))
}
