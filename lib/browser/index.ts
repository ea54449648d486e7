// The package's entry `fastify-cors-policy/browser`: a model of what browsers do with a request of a page, in so far as it concerns CORS. Pure functions:
// the caller brings the server. test/browser/ compares the model with real browsers.
export { corsCheck, preflightCheck, type CheckFailure, type CheckedRequest, type PreflightFailure } from './checks'
export {
  predict,
  type BrowserOptions,
  type Failure,
  type PageRequest,
  type Prediction,
  type Server,
  type WireExchange,
  type WireRequest,
  type WireResponse
} from './fetch'
export { exposedHeaderNames, type CredentialsMode, type HeaderList } from './headers'
export { PreflightCache, type CacheKey } from './preflight-cache'
