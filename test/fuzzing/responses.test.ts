// The response fuzzer, a few hundred random endings: whatever ends a response, it permits no more than its policy, varies by Origin, has what is permitted,
// and nothing is thrown that nobody catches. FUZZ_CASES and FUZZ_SEED run as many as one has time for.
import t from 'tap'
import { fuzz } from './responses/run'

t.test('responses of random applications, however they end, have the headers of their policy', async (t) => {
  const { FUZZ_CASES: cases = '300', FUZZ_SEED: seed = '1' } = process.env
  const sums = await fuzz(Number(cases), Number(seed))
  t.comment(JSON.stringify(sums))
  t.ok(sums.answered > sums.cases * 0.8, `most requests are answered: ${sums.answered} of ${sums.cases}`)
  t.ok(sums.permitted > sums.cases * 0.1 && sums.permitted < sums.answered * 0.9, `there are permissions and refusals: ${sums.permitted}`)
})
