// Migrates an application from @fastify/cors. The application is loaded twice, in two processes: as it is, and with this package registered in place of
// @fastify/cors. Both are asked the same, and what differs is the answer.
import type { FastifyInstance } from 'fastify'
import type { CorsProblem } from '../messages/errors'
import type { HeaderList } from '../browser/headers'
import type { ApplicationRecord, CorsRegistration, RecordedRoute, Replacements } from './application-recorder'
import { auditedRoutes } from './audit'
import { knownOrigins, MAX_KNOWN_ORIGINS, type OriginSources } from './audit-origins'
import { answersTo, questionsAbout, type PageAnswer, type PageQuestion } from './migrate-answers'
import { codeOf, registrationCode, routeCode } from './migrate-code'
import { translate } from './migrate-options'
import { isComplete, type CheckPolicy, type MigratedPolicy, type Translation } from './migrate-translation'
import type { MigratedRoute, Migration } from './migrate-types'

/** This package's plugin. */
export interface CorsPackage {
  (instance: FastifyInstance, options: object): unknown
  definePolicies (policies: never): unknown
}

/** What the first process finds. Plain JSON. */
export interface BeforeMigration extends Pick<Migration, 'registrations' | 'routes' | 'notCompared'> {
  readonly questions: readonly PageQuestion[]
  readonly answers: readonly PageAnswer[]
}

/** Describes the migration of an application that is loaded as it is, and asks it. */
export async function beforeMigration (
  root: FastifyInstance, record: ApplicationRecord, cors: CorsPackage, sources: OriginSources, headers: HeaderList
): Promise<BeforeMigration> {
  const { registrations } = record
  if (registrations.length === 0) throw new Error('the application does not register @fastify/cors; write migrate for one that does')
  const translator = new Translator(cors, sources.origins)
  const translations = registrations.map((registration) => translator.registration(registration))
  const isCompared = ({ instance }: RecordedRoute): boolean => {
    const index = registrations.findLastIndex((each) => covers(each, instance))
    return index === -1 || isComplete(translations[index] as Translation)
  }
  const routes = auditedRoutes(record.routes)
  const known = knownOrigins(root, record, sources).slice(0, MAX_KNOWN_ORIGINS)
  const questions = await questionsAbout(root, record, routes.filter(isCompared), known, headers)
  return {
    registrations: registrations.map(({ location }, index) => {
      const translation = translations[index] as Translation
      return { location: location ?? null, code: registrationCode(nameOf(index), translation), toWrite: translation.toWrite, notes: translation.notes }
    }),
    routes: routes.filter(({ cors }) => cors !== undefined).map((route) => migratedRoute(route, registrations, translator)),
    notCompared: routes.filter((route) => !isCompared(route)).map(({ method, url }) => `${method} ${url}`),
    questions,
    answers: await answersTo(root, record, questions)
  }
}

/** For the second process: what takes the place of @fastify/cors and of `config.cors` while the application is loaded. */
export function migrationReplacements (cors: CorsPackage, origins: readonly string[]): Replacements {
  const translator = new Translator(cors, origins)
  return {
    plugin (registration, index) {
      const translation = translator.registration(registration)
      const { policy, registration: rest } = translation
      if (!isComplete(translation) || policy === undefined) return
      const options = policy === false ? { defaultPolicy: false } : { policies: { [nameOf(index)]: policy }, defaultPolicy: nameOf(index) }
      registration.instance.register(cors as never, { ...options, ...rest } as never)
    },
    routeCors: (value, instance, registrations) => translator.route(value, instance, registrations).own
  }
}

/** The name of the policy of a registration. */
function nameOf (index: number): string {
  return index === 0 ? 'app' : `app${index + 1}`
}

/** Whether the hooks of a registration run for the routes of an instance. Fastify creates a child instance with its parent as the prototype. */
function covers (registration: CorsRegistration, instance: FastifyInstance): boolean {
  return registration.instance === instance || Object.prototype.isPrototypeOf.call(registration.instance, instance)
}

function migratedRoute (route: RecordedRoute, registrations: readonly CorsRegistration[], translator: Translator): MigratedRoute {
  const { own, toWrite } = translator.route(route.cors, route.instance, registrations)
  return { method: route.method, url: route.url, location: route.location ?? null, code: routeCode(own), toWrite }
}

/** Translates with this package's own checks. */
class Translator {
  readonly #check: CheckPolicy
  readonly #origins: readonly string[]

  constructor ({ definePolicies }: CorsPackage, origins: readonly string[]) {
    this.#origins = origins
    this.#check = (policy) => {
      try {
        definePolicies({ policy } as never)
        return []
      } catch (error) {
        return (error as { problems: readonly CorsProblem[] }).problems.map((problem) => ({ ...problem, pointer: problem.pointer.replace('/policy', '') }))
      }
    }
  }

  registration ({ options, instance }: CorsRegistration): Translation {
    return translate(options, { check: this.#check, origins: this.#origins, instance })
  }

  /** The `config.cors` of a route. @fastify/cors merges it with the options of the registration; here it extends that policy. */
  route (cors: unknown, instance: FastifyInstance, registrations: readonly CorsRegistration[]): { own: object | false, toWrite: readonly string[] } {
    if (cors === false) return { own: false, toWrite: [] }
    const index = registrations.findLastIndex((each) => covers(each, instance))
    const registration = registrations[index]
    const { options } = registration ?? { options: {} }
    const base = registration === undefined ? undefined : this.registration(registration).policy
    const shared = typeof options === 'function' || Object(options).delegator !== undefined ? {} : options as object
    const { policy, toWrite } = translate({ ...shared, ...cors as object }, { check: this.#check, origins: this.#origins, instance })
    if (policy === false || policy === undefined) return { own: false, toWrite }
    return { own: base === undefined || base === false ? policy : { extends: nameOf(index), ...difference(policy, base) }, toWrite }
  }
}

/** What the policy has, or has no more, compared with the one that it extends. */
function difference (policy: MigratedPolicy, base: MigratedPolicy): object {
  const fields = { credentials: false, exposedHeaders: [], ...policy }
  const others: Readonly<Record<string, unknown>> = { credentials: false, exposedHeaders: [], ...base }
  return Object.fromEntries(Object.entries(fields).filter(([name, value]) => codeOf(value) !== codeOf(others[name])))
}
