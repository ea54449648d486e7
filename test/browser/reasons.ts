// Why a request is blocked, in three vocabularies: the failures of the browser model, the engines' own reasons, and the reasons of `explain`.
// Data, and a pure function that tells whether an engine's reason and explain's can be about one request.
import type { CorsExplanationReason } from '../../lib/index'
import type { Expectation } from '../conformance/expectation'
import type { EngineName, EngineReason, EngineReasons } from './engine'

export type Failure = NonNullable<Expectation['failures'][number]>

/** What each engine calls a failure of the model. Undefined: it is silent, or no case has it. */
export const ENGINE_REASONS: { readonly [engine in EngineName]: { readonly [failure in Failure]: EngineReasons[engine] | undefined } } = {
  Chromium: {
    'no Access-Control-Allow-Origin': 'MissingAllowOriginHeader',
    'wildcard with credentials': 'WildcardOriginNotAllowed',
    'another origin': 'AllowOriginMismatch',
    'credentials not allowed': 'InvalidAllowCredentials',
    'preflight: no Access-Control-Allow-Origin': 'PreflightMissingAllowOriginHeader',
    'preflight: wildcard with credentials': 'PreflightWildcardOriginNotAllowed',
    'preflight: another origin': 'PreflightAllowOriginMismatch',
    'preflight: credentials not allowed': 'PreflightInvalidAllowCredentials',
    'preflight: status': 'PreflightInvalidStatus',
    'preflight: redirect': 'PreflightDisallowedRedirect',
    'preflight: unreadable list': 'InvalidAllowMethodsPreflightResponse',
    'method not allowed': 'MethodDisallowedByPreflightResponse',
    'header not allowed': 'HeaderDisallowedByPreflightResponse',
    'redirect with credentials': 'RedirectContainsCredentials',
    'too many redirects': undefined,
    'forbidden method': undefined
  },
  Firefox: {
    'no Access-Control-Allow-Origin': 'CORSMissingAllowOrigin',
    'wildcard with credentials': 'CORSNotSupportingCredentials',
    'another origin': 'CORSAllowOriginNotMatchingOrigin',
    'credentials not allowed': 'CORSMissingAllowCredentials',
    'preflight: no Access-Control-Allow-Origin': 'CORSMissingAllowOrigin',
    'preflight: wildcard with credentials': 'CORSNotSupportingCredentials',
    'preflight: another origin': 'CORSAllowOriginNotMatchingOrigin',
    'preflight: credentials not allowed': 'CORSMissingAllowCredentials',
    'preflight: status': 'CORSPreflightDidNotSucceed',
    'preflight: redirect': 'CORSExternalRedirectNotAllowed',
    'preflight: unreadable list': undefined,
    'method not allowed': 'CORSMethodNotFound',
    'header not allowed': 'CORSMissingAllowHeaderFromPreflight',
    'redirect with credentials': 'CORSDidNotSucceed',
    'too many redirects': undefined,
    'forbidden method': undefined
  },
  WebKit: {
    'no Access-Control-Allow-Origin': 'OriginNotAllowed',
    'wildcard with credentials': 'WildcardWithCredentials',
    'another origin': 'OriginNotAllowed',
    'credentials not allowed': 'CredentialsNotAllowed',
    // The status comes first: a refusal with 403 hides its reason.
    'preflight: no Access-Control-Allow-Origin': 'PreflightNotSuccessful',
    'preflight: wildcard with credentials': 'WildcardWithCredentials',
    'preflight: another origin': 'OriginNotAllowed',
    'preflight: credentials not allowed': 'CredentialsNotAllowed',
    'preflight: status': 'PreflightNotSuccessful',
    'preflight: redirect': 'PreflightNotSuccessful',
    'preflight: unreadable list': undefined,
    'method not allowed': 'MethodNotAllowed',
    'header not allowed': 'HeaderNotAllowed',
    'redirect with credentials': 'RedirectWithCredentials',
    'too many redirects': undefined,
    'forbidden method': undefined
  }
}

const ORIGIN = ['origin-not-allowed', 'null-origin', 'invalid-origin', 'origin-function-failed'] as const
/** The response carries no permission. */
const NO_PERMISSION = [...ORIGIN, 'no-route', 'no-policy', 'off', 'ambiguous-route'] as const
/** Neither does the answer to the preflight. */
const NO_PERMISSION_TO_SEND = [...NO_PERMISSION, 'method-not-routed', 'invalid-request-headers', 'answered-before'] as const
/** The answer to the preflight is somebody else's, or the policy's. */
const CREDENTIALS = ['credentials-not-allowed', 'answered-before'] as const
const METHOD = ['method-not-routed', 'answered-before'] as const
const HEADER = ['header-not-allowed', 'answered-before'] as const
/** What the plugin never sends: a permission for another origin, or several. */
const NOT_OURS = ['no-policy', 'off', 'no-route', 'answered-before'] as const

/** The reasons of `explain` that fit an engine's. None, where it is about a redirect: explain follows none. */
export const FITTING: { readonly [engine in EngineName]: { readonly [reason in EngineReasons[engine]]: readonly CorsExplanationReason[] } } = {
  Chromium: {
    MissingAllowOriginHeader: NO_PERMISSION,
    MultipleAllowOriginValues: NOT_OURS,
    InvalidAllowOriginValue: NOT_OURS,
    AllowOriginMismatch: NOT_OURS,
    WildcardOriginNotAllowed: CREDENTIALS,
    InvalidAllowCredentials: CREDENTIALS,
    PreflightMissingAllowOriginHeader: NO_PERMISSION_TO_SEND,
    PreflightMultipleAllowOriginValues: NOT_OURS,
    PreflightInvalidAllowOriginValue: NOT_OURS,
    PreflightAllowOriginMismatch: NOT_OURS,
    PreflightWildcardOriginNotAllowed: CREDENTIALS,
    PreflightInvalidAllowCredentials: CREDENTIALS,
    PreflightInvalidStatus: NO_PERMISSION_TO_SEND,
    PreflightDisallowedRedirect: ['answered-before'],
    InvalidAllowMethodsPreflightResponse: ['answered-before'],
    InvalidAllowHeadersPreflightResponse: ['answered-before'],
    MethodDisallowedByPreflightResponse: METHOD,
    HeaderDisallowedByPreflightResponse: HEADER,
    RedirectContainsCredentials: []
  },
  Firefox: {
    CORSMissingAllowOrigin: NO_PERMISSION_TO_SEND,
    CORSAllowOriginNotMatchingOrigin: NOT_OURS,
    CORSNotSupportingCredentials: CREDENTIALS,
    CORSMissingAllowCredentials: CREDENTIALS,
    CORSMethodNotFound: METHOD,
    CORSMissingAllowHeaderFromPreflight: HEADER,
    CORSPreflightDidNotSucceed: NO_PERMISSION_TO_SEND,
    CORSExternalRedirectNotAllowed: ['answered-before'],
    CORSDidNotSucceed: []
  },
  WebKit: {
    OriginNotAllowed: NO_PERMISSION,
    WildcardWithCredentials: CREDENTIALS,
    CredentialsNotAllowed: CREDENTIALS,
    MethodNotAllowed: METHOD,
    HeaderNotAllowed: HEADER,
    PreflightNotSuccessful: NO_PERMISSION_TO_SEND,
    RedirectWithCredentials: []
  }
}

/** Whether an engine's reason and explain's can be about one request. */
export function isFitting <Name extends EngineName> (engine: Name, reason: EngineReasons[Name], refusal: CorsExplanationReason): boolean {
  return FITTING[engine][reason].includes(refusal)
}

/** What the pages of an engine tell of nothing: the messages of workers are not among those of their page. WebKit writes all to one console. */
export function tellsReason (engine: EngineName, by: string): boolean {
  return engine === 'WebKit' || by !== 'worker'
}

/** The engine's reasons for the failures of a case, in order. */
export function reasonsOf (engine: EngineName, failures: ReadonlyArray<Failure | undefined>, by: readonly string[]): EngineReason[] {
  return failures.flatMap((failure, index) => failure === undefined || !tellsReason(engine, by[index] as string) ? [] : ENGINE_REASONS[engine][failure] ?? [])
}

export const ENGINE_NAMES = Object.keys(ENGINE_REASONS) as EngineName[]
