// The two databases that the example runs on, seen alike: PostgreSQL embedded in this process (pglite), or a server (pg). Used by store.ts.
import { setTimeout } from 'node:timers/promises'
import { PGlite } from '@electric-sql/pglite'
import { Client, Pool } from 'pg'

export type Query = (sql: string, values?: unknown[]) => Promise<{ rows: unknown[] }>

export interface Database {
  query: Query
  /** Commits when the work is done, and rolls back when it throws. */
  transaction: (work: (query: Query) => Promise<void>) => Promise<void>
  /**
   * Calls `changed` with every origin that was added or removed, and without one where everything has to be read again: whenever it listens,
   * the first time and after every lost connection. Resolves when it first listens.
   */
  listen: (changed: (origin?: string) => void, failed: (error: unknown) => void) => Promise<void>
  close: () => Promise<void>
}

/**
 * The trigger tells every instance which origin changed. What became of it they read themselves, so nothing can arrive in the wrong order.
 * An empty payload is everything: TRUNCATE, and what NOTIFY cannot carry (8,000 bytes), which only somebody who writes past the API can store.
 */
const SCHEMA = `
  CREATE TABLE IF NOT EXISTS tenant_origins (origin text PRIMARY KEY);
  CREATE OR REPLACE FUNCTION tenant_origins_changed() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF TG_OP = 'TRUNCATE' THEN
        NOTIFY tenant_origins;
      ELSE
        PERFORM pg_notify('tenant_origins', CASE WHEN octet_length(origin) < 8000 THEN origin ELSE '' END)
          FROM unnest(ARRAY[OLD.origin, NEW.origin]) AS changed (origin) WHERE origin IS NOT NULL;
      END IF;
      RETURN NULL;
    END $$;
  CREATE OR REPLACE TRIGGER tenant_origins_changed AFTER INSERT OR UPDATE OR DELETE ON tenant_origins
    FOR EACH ROW EXECUTE FUNCTION tenant_origins_changed();
  CREATE OR REPLACE TRIGGER tenant_origins_truncated AFTER TRUNCATE ON tenant_origins
    FOR EACH STATEMENT EXECUTE FUNCTION tenant_origins_changed();`

/** In milliseconds. */
const TIMEOUTS = { connectionTimeoutMillis: 2000, lock: 1000, query: 5000, silence: 2000, pulse: 3000, longestWait: 250 }

export async function embedded (folder?: string): Promise<Database> {
  const database = await PGlite.create(folder)
  await database.exec(SCHEMA)
  return {
    query: async (sql, values) => await database.query(sql, values),
    transaction: async (work) => { await database.transaction(async (tx) => { await work(async (sql, values) => await tx.query(sql, values)) }) },
    listen: async (changed) => {
      await database.listen('tenant_origins', changed)
      changed()
    },
    close: async () => { await database.close() }
  }
}

export async function server (connectionString: string): Promise<Database> {
  // Whoever waits for a lock holds one of these connections: a long transaction must not take them all.
  const pool = new Pool({ connectionString, connectionTimeoutMillis: TIMEOUTS.connectionTimeoutMillis, lock_timeout: TIMEOUTS.lock, query_timeout: TIMEOUTS.query })
  pool.on('error', () => {}) // an idle connection was lost: the next query opens another
  const closing = new AbortController()
  let listener: Client | undefined
  // Instances that start together take turns: CREATE … IF NOT EXISTS alone can fail when it runs twice at once.
  const transaction: Database['transaction'] = async (work) => {
    const client = await pool.connect()
    let lost: Error | undefined
    client.on('error', (error) => { lost = error })
    try {
      await client.query('BEGIN')
      await work(async (sql, values) => await client.query(sql, values))
      await client.query('COMMIT')
      client.release()
    } catch (error) {
      await client.query('ROLLBACK').catch((failure: Error) => { lost = failure })
      client.release(lost)
      throw error
    }
  }
  await transaction(async (query) => {
    await query('SELECT pg_advisory_xact_lock(20261124)')
    await query(SCHEMA)
  })

  return {
    query: async (sql, values) => await pool.query(sql, values),
    transaction,
    listen: async (changed, failed) => {
      const connect = async (): Promise<Client> => {
        const client = new Client({ connectionString, application_name: 'tenants', connectionTimeoutMillis: TIMEOUTS.connectionTimeoutMillis, query_timeout: TIMEOUTS.silence })
        // A server that vanishes without a word is noticed because it does not answer; then the connection is destroyed.
        const pulse = setInterval(() => { client.query('SELECT 1').catch(async () => { await client.end() }) }, TIMEOUTS.pulse)
        const lost = new Promise<void>((resolve) => { client.once('end', resolve) }).finally(() => { clearInterval(pulse) })
        client.on('error', failed)
        client.on('notification', ({ payload }) => { changed(payload) })
        await client.connect()
        await client.query('LISTEN tenant_origins')
        listener = client
        changed() // what happened before it listened was told to nobody
        lost.then(reconnect, failed)
        return client
      }
      const reconnect = async (): Promise<void> => {
        for (let wait = 50; !closing.signal.aborted; wait = Math.min(wait * 2, TIMEOUTS.longestWait)) {
          try {
            await setTimeout(wait, undefined, { signal: closing.signal })
            const client = await connect()
            if (closing.signal.aborted) await client.end()
            return
          } catch (error) {
            if (!closing.signal.aborted) failed(error)
          }
        }
      }
      await connect()
    },
    close: async () => {
      closing.abort()
      await listener?.end().catch(() => {})
      await pool.end()
    }
  }
}
