// Compares the answers before and after a migration.
import type { PageAnswer, PageQuestion } from './migrate-answers'
import type { AnswerChange, ChangeKind } from './migrate-types'

const ORDER = ['no', 'without credentials', 'with credentials'] as const
const KINDS: readonly ChangeKind[] = ['wider', 'narrower', 'status']

/** Every answer that changes: what changes in the same way is one change. Wider first. */
export function changesBetween (questions: readonly PageQuestion[], before: readonly PageAnswer[], after: readonly PageAnswer[]): AnswerChange[] {
  // By route first, so that origins and headers that change alike are listed together; then routes that have the same lists.
  const byRoute = new Map<string, Omit<AnswerChange, 'origins' | 'headers'> & { origins: Set<string>, headers: Set<string> }>()
  for (const [index, question] of questions.entries()) {
    const [was, becomes] = [before[index] as PageAnswer, after[index] as PageAnswer]
    const kind = kindOf(question, was, becomes)
    if (kind === undefined) continue
    const texts = textsOf(kind, was, becomes)
    const key = JSON.stringify([kind, question.route, texts])
    const created = { kind, routes: [question.route], origins: new Set<string>(), headers: new Set<string>(), ...texts, advice: adviceOn(kind, question, was) }
    const change = byRoute.get(key) ?? created
    byRoute.set(key, change)
    change.origins.add(question.origin)
    change.headers.add(question.headers.map(([name]) => name).join(' + '))
  }
  const changes = new Map<string, AnswerChange>()
  for (const { routes, origins, headers, ...rest } of byRoute.values()) {
    const change = { ...rest, routes, origins: [...origins], headers: [...headers] }
    const key = JSON.stringify({ ...change, routes: [] })
    const same = changes.get(key)
    changes.set(key, same === undefined ? change : { ...same, routes: [...same.routes, ...routes] })
  }
  return [...changes.values()].sort((a, b) => KINDS.indexOf(a.kind) - KINDS.indexOf(b.kind))
}

function kindOf ({ isRouted }: PageQuestion, was: PageAnswer, becomes: PageAnswer): ChangeKind | undefined {
  const difference = ORDER.indexOf(becomes.allowed) - ORDER.indexOf(was.allowed)
  // A page that may send what has no route reads a 404: the default policy answers the preflight as well.
  if (difference !== 0) return difference < 0 ? 'narrower' : isRouted ? 'wider' : 'status'
  if (!includesAll(was.exposed, becomes.exposed)) return 'wider'
  if (!includesAll(becomes.exposed, was.exposed)) return 'narrower'
  return was.preflight === becomes.preflight && was.status === becomes.status ? undefined : 'status'
}

function includesAll (names: readonly string[], others: readonly string[]): boolean {
  return names.includes('*') || others.every((name) => names.includes(name))
}

function textsOf (kind: ChangeKind, was: PageAnswer, becomes: PageAnswer): { readonly was: string, readonly becomes: string } {
  const text = was.allowed !== becomes.allowed ? allowedText : kind === 'status' ? statusText : exposedText
  return { was: text(was), becomes: text(becomes) }
}

function allowedText ({ allowed, failure }: PageAnswer): string {
  return allowed === 'no' ? `blocked (${failure})` : `allowed ${allowed}`
}

function statusText ({ preflight, status }: PageAnswer): string {
  return preflight === null ? `status ${status}` : `preflight ${preflight}`
}

function exposedText ({ exposed }: PageAnswer): string {
  return `exposes ${exposed.length === 0 ? 'nothing' : exposed.join(', ')}`
}

function adviceOn (kind: ChangeKind, { target: { method } }: PageQuestion, { failure }: PageAnswer): string | null {
  if (kind !== 'wider' || failure !== 'method not allowed') return null
  return `to keep ${method} closed, write config: { cors: false } for the route`
}
