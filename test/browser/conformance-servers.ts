// The servers of the conformance cases in a browser: pages and API, over HTTP and HTTPS, on ports of this machine that are free.
import type { FastifyInstance } from 'fastify'
import { api, pageServer } from '../conformance/application'
import type { Record } from '../conformance/record'
import { world, type Ports, type World } from '../conformance/world'
import { selfSigned } from './certificate'

const HOST = '127.0.0.1'

export interface Servers {
  readonly world: World
  close (): Promise<void>
}

/** Ports that are free now: an API has to know them before it listens, for its policies name the origins of the pages. */
async function freePorts (record: Record): Promise<{ pages: FastifyInstance[], ports: Omit<Ports, 'api' | 'secureApi'> }> {
  const pages = [await pageServer(record), await pageServer(record), await pageServer(record, { https: selfSigned('app.test') })]
  const addresses: string[] = []
  for (const app of pages) addresses.push(await app.listen({ host: HOST, port: 0 }))
  const [first, second, third] = addresses.map((address) => Number(new URL(address).port)) as [number, number, number]
  return { pages, ports: { pages: first, otherPages: second, securePages: third } }
}

export async function startServers (record: Record): Promise<Servers> {
  const { pages, ports } = await freePorts(record)
  // No policy names an origin of the API.
  const draft = world({ ...ports, api: 1, secureApi: 2 })
  const plain = await api(draft, record)
  const secure = await api(draft, record, { http2: true, https: { ...selfSigned('api.test'), allowHTTP1: true } })
  const [apiPort, secureApiPort] = [await plain.listen({ host: HOST, port: 0 }), await secure.listen({ host: HOST, port: 0 })].map((address) => Number(new URL(address).port)) as [number, number]
  return {
    world: world({ ...ports, api: apiPort, secureApi: secureApiPort }),
    async close () {
      await Promise.all([...pages, plain, secure].map((app) => app.close()))
    }
  }
}
