// Keeps an originList as the database has it, in every instance. Used by index.ts.
import { setTimeout } from 'node:timers/promises'
import { originList, type CorsOriginList, type CorsPolicyError } from 'fastify-cors-policy'
import type { Database } from './database'

/** Where more origins than these changed meanwhile, everything is read again. */
const MANY = 1000

export class TenantStore {
  /** What changed and has to be read: these origins, or everything. */
  readonly #changed = new Set<string>()
  #everything = false
  #closed = false
  #loading: Promise<void> | undefined

  constructor (readonly list: CorsOriginList, readonly database: Database, readonly report: (error: unknown) => void) {}

  /** Resolves when the list is loaded, and changes are heard. Tries again for as long as the database cannot be read. */
  async start (): Promise<void> {
    await this.database.listen((origin) => { this.#read(origin) }, this.report)
    await this.#loading // one load at a time: an older one must not end last
  }

  /** What the list refuses is not in the database either. */
  async add (origin: string): Promise<void> {
    await this.#change(origin, async () => {
      await this.database.transaction(async (query) => {
        await query('INSERT INTO tenant_origins VALUES ($1) ON CONFLICT DO NOTHING', [origin])
        this.list.add(origin)
      })
    })
  }

  async remove (origin: string): Promise<void> {
    await this.#change(origin, async () => {
      await this.database.transaction(async (query) => {
        await query('DELETE FROM tenant_origins WHERE origin = $1', [origin])
        this.list.delete(origin)
      })
    })
  }

  async close (): Promise<void> {
    this.#closed = true
    await this.database.close()
  }

  /** Whatever became of the transaction, the origin is read again: a commit can fail after the list was changed. */
  async #change (origin: string, work: () => Promise<void>): Promise<void> {
    originList([origin]) // what can be no entry is refused before the database sees it
    try {
      await work()
    } finally {
      this.#read(origin)
    }
  }

  /** One read at a time, and one more if something changed meanwhile. */
  #read (origin = ''): void {
    if (origin === '' || this.#changed.size === MANY) this.#everything = true
    else this.#changed.add(origin)
    this.#loading ??= this.#loadUntilFresh().finally(() => { this.#loading = undefined })
  }

  /** A read that failed is tried again, of everything: what is known stands until then. */
  async #loadUntilFresh (): Promise<void> {
    for (let wait = 50; (this.#everything || this.#changed.size > 0) && !this.#closed;) {
      const origins = this.#everything ? undefined : [...this.#changed]
      this.#everything = false
      this.#changed.clear()
      try {
        await (origins === undefined ? this.#load() : this.#update(origins))
        wait = 50
      } catch (error) {
        this.#everything = true
        if (this.#closed) return
        this.report(error)
        await setTimeout(wait, undefined, { ref: false })
        wait = Math.min(wait * 2, 250)
      }
    }
  }

  async #update (origins: string[]): Promise<void> {
    const kept = new Set(await this.#query('SELECT origin FROM tenant_origins WHERE origin = ANY($1)', [origins]))
    for (const origin of origins) {
      try {
        if (kept.has(origin)) this.list.add(origin)
        else this.list.delete(origin)
      } catch (error) {
        // Somebody wrote past the API. What is refused is not in the list, and need not be taken out.
        if (kept.has(origin)) this.report(error)
      }
    }
  }

  async #load (): Promise<void> {
    const origins = await this.#query('SELECT origin FROM tenant_origins')
    try {
      this.list.replace(origins)
    } catch (error) {
      // Somebody wrote past the API. One bad row must not keep in what others took out: it alone is left off.
      const refused = new Set((error as CorsPolicyError).problems.map(({ pointer }) => Number(pointer.slice(1))))
      this.report(error)
      this.list.replace(origins.filter((_origin, index) => !refused.has(index)))
    }
  }

  async #query (sql: string, values?: unknown[]): Promise<string[]> {
    const { rows } = await this.database.query(sql, values)
    return (rows as Array<{ origin: string }>).map(({ origin }) => origin)
  }
}
