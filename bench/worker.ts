// A process of its own for one contestant at one workload: node --expose-gc worker.js <workload> <contestant> <milliseconds>. Prints JSON.
// Of HTTP, it is the server: it says which port it listens on, and measures its own processor time between two messages, until it is told to end.
import { CONTESTANTS, type ContestantName } from './contestants'
import { check, measure, WrongAnswer } from './measure'
import { WORKLOADS, type Workload, type WorkloadName } from './workloads'

async function serve (workload: Workload, contestant: ContestantName): Promise<void> {
  const setup = workload.setup()
  const subject = await CONTESTANTS[contestant].load()(setup)
  const answer = await check(workload, contestant, subject, setup)
  process.send?.({ port: await subject.listen(), answer })
  let used = process.cpuUsage()
  process.on('message', (message) => {
    if (message === 'start') used = process.cpuUsage()
    if (message === 'stop') {
      const { user, system } = process.cpuUsage(used)
      process.send?.({ microseconds: user + system })
    }
    if (message === 'end') process.exit()
  })
  // The parent has ended.
  process.on('disconnect', () => { process.exit() })
}

async function main (): Promise<void> {
  const [name, contestant, milliseconds] = process.argv.slice(2) as [WorkloadName, ContestantName, string]
  try {
    // Without a parent that speaks to it, it only checks the answers.
    if (WORKLOADS[name].kind === 'http' && process.send !== undefined) await serve(WORKLOADS[name], contestant)
    else console.log(JSON.stringify(await measure(name, contestant, Number(milliseconds))))
  } catch (error) {
    if (!(error instanceof WrongAnswer)) throw error
    console.log(JSON.stringify({ wrong: error.message }))
    process.exitCode = 2
  }
}

main().catch((error: unknown) => {
  console.error(error)
  process.exitCode = 1
})
