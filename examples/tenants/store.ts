// Keeps an originList as the database has it, in every instance. Used by index.ts.
import { setTimeout } from 'node:timers/promises'
import type { CorsOriginList, CorsPolicyError } from 'fastify-cors-policy'
import type { Database } from './database'

export class TenantStore {
  #stale = false
  #closed = false
  #loading: Promise<void> | undefined

  constructor (readonly list: CorsOriginList, readonly database: Database, readonly report: (error: unknown) => void) {}

  /** Resolves when the list is loaded, and changes are heard. Tries again for as long as the database cannot be read. */
  async start (): Promise<void> {
    await this.database.listen(() => { this.#changed() }, this.report)
    await this.#loading // one load at a time: an older one must not end last
  }

  /** What the list refuses is not in the database either. */
  async add (origin: string): Promise<void> {
    await this.#change(async () => {
      await this.database.transaction(async (query) => {
        await query('INSERT INTO tenant_origins VALUES ($1) ON CONFLICT DO NOTHING', [origin])
        this.list.add(origin)
      })
    })
  }

  async remove (origin: string): Promise<void> {
    await this.#change(async () => {
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

  /** Whatever became of the transaction, the list is read again: a commit can fail after the list was changed. */
  async #change (work: () => Promise<void>): Promise<void> {
    try {
      await work()
    } finally {
      this.#changed()
    }
  }

  /** One load at a time, and one more if something changed meanwhile. A failed one is tried again: the old list stands until then. */
  #changed (): void {
    this.#stale = true
    this.#loading ??= this.#loadUntilFresh().finally(() => { this.#loading = undefined })
  }

  async #loadUntilFresh (): Promise<void> {
    for (let wait = 50; this.#stale && !this.#closed;) {
      this.#stale = false
      try {
        await this.#load()
        wait = 50
      } catch (error) {
        this.#stale = true
        if (this.#closed) return
        this.report(error)
        await setTimeout(wait, undefined, { ref: false })
        wait = Math.min(wait * 2, 1000)
      }
    }
  }

  async #load (): Promise<void> {
    const { rows } = await this.database.query('SELECT origin FROM tenant_origins')
    const origins = (rows as Array<{ origin: string }>).map(({ origin }) => origin)
    try {
      this.list.replace(origins)
    } catch (error) {
      // Somebody wrote past the API. One bad row must not keep in what others took out: it alone is left off.
      const refused = new Set((error as CorsPolicyError).problems.map(({ pointer }) => Number(pointer.slice(1))))
      this.report(error)
      this.list.replace(origins.filter((_origin, index) => !refused.has(index)))
    }
  }
}
