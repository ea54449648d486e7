// The headline: the processor time of a server for each request over HTTP. Requests per second say little where client and server share a machine with other
// work, so the servers run at once, each in a process of its own, and get many short turns: some of them are left alone by the rest of the machine. Connections
// are kept alive, and nothing is pipelined: browsers do not.
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import autocannon from 'autocannon'
import type { ContestantName } from './contestants'
import type { Answer, Sent } from './exchange'
import { fault, WORKLOADS, type Workload, type WorkloadName } from './workloads'

const REQUESTS = 500
const CONNECTIONS = 5
/** How many different URLs a connection asks for, at most. */
const URLS = 100
/** Turns that the compiler of V8 needs. */
const WARM_UP = 12
const TURNS = 40

export interface Served {
  readonly answer: Answer
  /** Microseconds of the processor for a request, in each turn. */
  readonly microsecondsOfServer: readonly number[]
}

export interface Server {
  readonly workload: WorkloadName
  readonly contestant: ContestantName
}

/** Measures servers in turn, forwards and backwards. `node` is the program that runs them. */
export async function serveInTurn (servers: readonly Server[], node: string, turns = TURNS): Promise<Served[]> {
  const started = await Promise.all(servers.map(async (server) => await start(server, node)))
  try {
    const warmUp = Math.min(WARM_UP, turns)
    for (let turn = 0; turn < warmUp + turns; turn++) {
      for (const one of turn % 2 === 0 ? started : started.toReversed()) {
        const microseconds = await requests(one)
        if (turn >= warmUp) one.microsecondsOfServer.push(microseconds)
      }
    }
    return started
  } finally {
    for (const { child } of started) if (child.connected) child.send('end')
  }
}

interface Started extends Served {
  readonly workload: Workload
  readonly contestant: ContestantName
  readonly child: ChildProcess
  readonly port: number
  readonly sent: readonly Sent[]
  readonly microsecondsOfServer: number[]
}

async function start ({ workload: name, contestant }: Server, node: string): Promise<Started> {
  const workload: Workload = WORKLOADS[name]
  const child = fork(join(__dirname, 'worker.js'), [name, contestant], { execPath: node, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  const [{ port, answer }] = await once(child, 'message') as [{ port: number, answer: Answer }]
  const sent = workload.requests(workload.setup()).slice(0, URLS)
  const started = { workload, contestant, child, port, answer, sent, microsecondsOfServer: [] }
  await checkOverHttp(started)
  return started
}

/** What arrives over HTTP is what the server was checked for in process. */
async function checkOverHttp ({ workload, contestant, port, sent }: Started): Promise<void> {
  const { method, url, headers: { connection, host, ...headers } } = sent[0] as Sent
  const response = await (await import('undici')).request(`http://127.0.0.1:${port}${url}`, { method: method as 'GET', headers })
  const answer: Answer = { status: response.statusCode, headers: response.headers as Answer['headers'], body: await response.body.text() }
  const wrong = fault(sent[0] as Sent, answer, workload.expected, contestant === 'alone')
  if (wrong !== undefined) throw new Error(`${contestant}, ${workload.title}, over HTTP: ${wrong}`)
}

async function requests ({ child, port, sent, contestant, workload }: Started): Promise<number> {
  child.send('start')
  const { non2xx, errors, requests } = await autocannon({
    url: `http://127.0.0.1:${port}`,
    requests: sent.map(({ method, url, headers: { connection, ...headers } }) => ({ method: method as 'GET', path: url, headers })),
    connections: CONNECTIONS,
    pipelining: 1,
    amount: REQUESTS
  })
  const used = once(child, 'message') as Promise<[{ microseconds: number }]>
  child.send('stop')
  const [{ microseconds }] = await used
  if (non2xx > 0 || errors > 0) throw new Error(`${contestant}, ${workload.title}: ${non2xx} responses without success, ${errors} errors`)
  return microseconds / requests.total
}
