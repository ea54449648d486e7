// Explains a request to a server that is deployed: sends the preflight and, where it is harmless, the request itself; the browser model judges the answers.
import { predict, type Prediction, type Server, type WireExchange, type WireRequest } from '../browser/fetch'
import { getHeader } from '../browser/headers'
import { normalizeMethod } from '../http/methods'
import { quote } from '../messages/errors'
import { deploymentVerdict } from './deployment-reasons'
import { toCorsExchange } from './exchange'
import { notesFor } from './notes'
import { parseQuestion } from './question'
import type { CorsExplanation, CorsQuestion } from './types'

/** Methods that change nothing (RFC 9110, section 9.2.1), and that a page sends without asking. They are sent without being told to. */
const SENT_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD'])

/** The request was not sent, because it may change something. */
class NotSent extends Error {}

/**
 * The answer to a question about a deployed server.
 *
 * @param server sends requests to it
 * @param input the question, with an absolute URL
 * @param send whether methods besides GET and HEAD are sent as well
 * @throws CorsQuestionError where the question is malformed; Error where the server does not answer, or where nothing can be told
 */
export async function explainDeployment (server: Server, input: CorsQuestion, send: boolean): Promise<CorsExplanation> {
  const question = parseQuestion(input)
  const { page, reads } = question
  const method = normalizeMethod(page.method)
  const exchanges: WireExchange[] = []
  const sending: Server = async (request) => {
    if (!isPreflight(request) && !SENT_METHODS.has(request.method) && !send) throw new NotSent()
    const response = await server(request)
    exchanges.push({ request, response })
    return response
  }
  const answer = (rest: Pick<CorsExplanation, 'allowed' | 'reason' | 'message' | 'advice'>): CorsExplanation => ({
    ...rest,
    route: null,
    notes: notesFor(question, { isPreflighted: exchanges.some(({ request }) => isPreflight(request)), status: exchanges.at(-1)?.response.status }),
    exchanges: exchanges.map((exchange) => toCorsExchange(exchange, question))
  })
  const allowed = (message: string): CorsExplanation => answer({ allowed: true, reason: null, message, advice: null })
  let prediction: Prediction
  try {
    prediction = await predict(sending, page)
  } catch (error) {
    if (!(error instanceof NotSent)) throw error
    if (exchanges.length === 0) throw new Error(`a browser sends this ${method} without a preflight, and it may change something; to send it, write --send`)
    return allowed(`the preflight allows it; the ${method} itself was not sent, so its response is not known: write --send to send it`)
  }
  const { result, failure, status, location = '', headerNames = [] } = prediction
  if (failure !== undefined) return answer({ allowed: false, ...deploymentVerdict(page, failure, exchanges) })
  if (result === 'redirected') throw new Error(`${method} is answered with ${status} to ${quote(location)}; redirects are not followed: ask about that URL`)
  const hidden = reads.filter((name) => !headerNames.includes(name.toLowerCase())).map(quote).join(', ')
  if (hidden !== '') {
    const message = `the page reads the response, but not ${hidden}: the response does not expose it`
    return answer({ allowed: false, reason: 'header-not-exposed', message, advice: `add ${hidden} to exposedHeaders of the policy` })
  }
  return allowed(`pages of ${quote(page.origin)} read the response, ${status}${page.credentials === 'include' ? ', with credentials' : ''}`)
}

function isPreflight ({ headers }: WireRequest): boolean {
  return getHeader(headers, 'access-control-request-method') !== null
}
