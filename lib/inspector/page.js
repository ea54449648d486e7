// The script of the inspector's page, which page.html loads: it lists the routes, sends the form to `app.cors.explain` on the server, and shows the answer.
// All values from the server are inserted as text. The page's Content-Security-Policy makes the browser reject HTML from strings.
/* global document, fetch, window */

const element = (id) => document.getElementById(id)

/** Creates an element. Children that are strings become text nodes. */
function make (name, properties, ...children) {
  const { role, label, ...rest } = properties
  const made = Object.assign(document.createElement(name), rest)
  if (role !== undefined) made.setAttribute('role', role)
  if (label !== undefined) made.dataset.label = label
  made.append(...children)
  return made
}

const code = (text) => make('code', {}, text)
const hint = (text) => make('span', { className: 'hint' }, text)

/** The JSON of a response, and whether its status is one of success. Throws where the response is not JSON. */
async function request (path, init) {
  const response = await fetch(path, init)
  const type = response.headers.get('content-type') ?? ''
  if (!type.startsWith('application/json')) throw new Error(`the server answered ${response.status}; its log has the error`)
  return { ok: response.ok, body: await response.json() }
}

// The routes

/** The entries of a list that are always shown. */
const SHORT_LENGTH = 4

/** A list of code. The entries after the first few are in a closed `details`. `empty` is shown where there are no entries. */
function listed (entries, empty) {
  if (entries.length === 0) return [hint(empty)]
  const items = (some) => some.map((entry) => make('li', {}, code(entry)))
  const list = make('ul', {}, ...items(entries.slice(0, SHORT_LENGTH)))
  if (entries.length <= SHORT_LENGTH) return [list]
  const rest = entries.slice(SHORT_LENGTH)
  const more = make('ul', { tabIndex: 0 })
  more.setAttribute('aria-label', 'More entries')
  const details = make('details', {}, make('summary', {}, `${rest.length} more`), more)
  details.addEventListener('toggle', () => more.append(...items(rest)), { once: true })
  return [list, details]
}

/** Groups the routes into rows: methods of one URL with equal policies share a row. */
function rowsOf (routes) {
  const rows = new Map()
  for (const { method, ...rest } of routes) {
    const key = JSON.stringify(rest)
    if (rows.has(key)) rows.get(key).methods.push(method)
    else rows.set(key, { ...rest, methods: [method] })
  }
  return [...rows.values()]
}

/** What is shown of a route without a policy. */
const WITHOUT_POLICY = { off: 'off', none: 'no policy', uncovered: 'not registered there' }

function policyCell ({ policy, enforceOrigin, declaration }) {
  const without = WITHOUT_POLICY[declaration]
  if (without !== undefined) return [make('span', { className: 'badge off' }, without)]
  const enforced = enforceOrigin ? [' ', make('span', { className: 'badge off' }, 'enforced')] : []
  return [policy === null ? hint('unnamed') : code(policy), ...enforced]
}

function originCell ({ origin }) {
  if (origin === '*') return [make('span', { className: 'badge open' }, 'any origin')]
  return listed(origin.map((entry) => entry === 'function' ? 'origin function' : entry), 'none')
}

function credentialsCell ({ credentials }) {
  return typeof credentials === 'boolean' ? [credentials ? 'yes' : hint('no')] : listed(credentials, 'no')
}

function rowElement (row) {
  const { methods, url, host, constraints = [], allowedHeaders, exposedHeaders, maxAge } = row
  const cell = (label, children) => make('td', { role: 'cell', label }, make('div', {}, ...children))
  const method = methods.find((each) => each !== 'HEAD') ?? 'HEAD'
  const button = make('button', { type: 'button', className: 'quiet' }, 'Ask', make('span', { className: 'unseen' }, ` about ${method} ${url}`))
  button.addEventListener('click', () => {
    element('method').value = method
    element('url').value = host === undefined || host.startsWith('/') ? url : `http://${host}${url}`
    element('url').focus()
    element('ask-heading').scrollIntoView({ block: 'nearest' })
  })
  const route = make('th', { role: 'rowheader', scope: 'row' },
    make('span', { className: 'methods' }, ...methods.flatMap((each) => [make('span', { className: 'verb' }, each), ' '])),
    code(url),
    ...(host === undefined ? [] : [' ', hint(`host ${host}`)]),
    ...(constraints.length === 0 ? [] : [' ', hint(`constraints: ${constraints.join(', ')}`)]))
  const off = WITHOUT_POLICY[row.declaration] !== undefined
  return make('tr', { role: 'row', className: off ? 'is-off' : '' },
    route,
    cell('Policy', policyCell(row)),
    cell('Allowed origins', originCell(row)),
    cell('Credentials', credentialsCell(row)),
    cell('Request headers', listed(allowedHeaders, 'none')),
    cell('Exposed headers', listed(exposedHeaders, 'none')),
    cell('Max age', [maxAge === null ? hint(off ? 'none' : 'default') : `${maxAge} s`]),
    cell('Ask', [button]))
}

/** The text that the filter searches: every word of the row, with all entries of long lists. */
function wordsOf (row) {
  const { methods, url, host, constraints = [], policy, origin, credentials, allowedHeaders, exposedHeaders } = row
  const words = [
    methods, url, host, constraints,
    policy ?? WITHOUT_POLICY[row.declaration] ?? 'unnamed',
    origin, origin === '*' ? 'any origin' : [],
    credentials === true ? ['credentials'] : credentials || [],
    allowedHeaders, exposedHeaders
  ]
  return words.flat().filter((word) => word !== undefined).join(' ').toLowerCase()
}

async function showRoutes () {
  const { body } = await request('routes')
  const rows = rowsOf(body).map((row) => ({ words: wordsOf(row), shown: rowElement(row) }))
  element('routes').tBodies[0].append(...rows.map(({ shown }) => shown))
  // Origins only: patterns have an asterisk, and RegExps have a backslash.
  const origins = body.flatMap(({ origin }) => origin === '*' ? [] : origin)
  const exact = new Set(origins.filter((origin) => origin.includes('://') && !/[*\\]/.test(origin)))
  element('origins').append(...[...exact].slice(0, 50).map((value) => make('option', { value })))
  const filter = () => {
    const wanted = element('filter').value.toLowerCase().split(/\s+/)
    for (const { words, shown } of rows) shown.hidden = !wanted.every((word) => words.includes(word))
    const visible = rows.filter(({ shown }) => !shown.hidden).length
    element('count').textContent = rows.length === 0 ? 'The application has no routes.' : `${visible} of ${rows.length} shown`
  }
  element('filter').addEventListener('input', filter)
  filter()
}

// The question

/** Parses the lines of the field into an object of headers. A name on several lines has several values. */
function headersIn (text) {
  const headers = new Map()
  for (const line of text.split('\n').filter((each) => each.trim() !== '')) {
    const [, name, value = ''] = /^([^:]*)(?::(.*))?$/s.exec(line)
    const values = headers.get(name.trim()) ?? []
    headers.set(name.trim(), [...values, value.trim()])
  }
  return Object.fromEntries([...headers].map(([name, values]) => [name, values.length === 1 ? values[0] : values]))
}

/** The question in the form. Empty fields are left out. */
function questionIn () {
  const text = (id) => element(id).value.trim() || undefined
  return {
    origin: text('origin'),
    method: text('method'),
    url: text('url'),
    headers: headersIn(element('headers').value),
    credentials: element('credentials').checked,
    useCorsPreflight: element('useCorsPreflight').checked
  }
}

const FIELDS = ['method', 'url', 'origin', 'headers']

function clear () {
  for (const id of ['verdict', 'failure', 'exchanges', ...FIELDS.map((field) => `${field}-problem`)]) element(id).replaceChildren()
  for (const field of FIELDS) element(field).removeAttribute('aria-invalid')
}

/** On a narrow screen, the answer is below the form. */
function scrollToAnswer () {
  element('answer').scrollIntoView({ block: 'nearest' })
}

/** Shows why there is no answer: each problem at its field, and all of them in the answer. */
function showFailure ({ code: coded, message, problems = [] }) {
  const badge = make('span', { className: 'badge blocked' }, 'No answer')
  element('failure').replaceChildren(
    make('p', { className: 'headline' }, badge, ...(coded === undefined ? [] : [' ', code(coded)])),
    problems.length === 0 ? make('p', {}, message) : make('ul', {}, ...problems.map((problem) => make('li', {}, problem.message))))
  const problemsOf = (field) => problems.filter(({ pointer }) => pointer.split('/')[1] === field)
  const concerned = FIELDS.filter((field) => problemsOf(field).length > 0)
  for (const field of concerned) {
    element(field).setAttribute('aria-invalid', 'true')
    element(`${field}-problem`).textContent = problemsOf(field).map((problem) => problem.message).join(' ')
  }
  if (concerned.length > 0) element(concerned[0]).focus()
  else scrollToAnswer()
}

/** Shows the answer of `app.cors.explain`. */
function showAnswer ({ allowed, reason, message, advice, route, exchanges }) {
  const badge = make('span', { className: `badge ${allowed ? 'allowed' : 'blocked'}` }, allowed ? 'Allowed' : 'Blocked')
  const shown = [
    make('p', { className: 'headline' }, badge, ...(reason === null ? [] : [' ', code(reason)])),
    make('p', { className: 'message' }, message)
  ]
  if (advice !== null) shown.push(make('p', { className: 'advice' }, make('strong', {}, 'What to write: '), advice))
  if (route !== null) {
    const policy = route.policy === null ? [] : [', policy ', code(route.policy)]
    shown.push(make('p', { className: 'hint' }, 'Route ', code(`${route.method} ${route.url}`), ...policy))
  }
  element('verdict').replaceChildren(...shown)
  element('exchanges').replaceChildren(...exchanges.map(exchangeElement))
  scrollToAnswer()
}

const linesOf = (headers) => Object.entries(headers).map(([name, value]) => `\n${name}: ${value}`).join('')

function exchangeElement ({ request: { method, url, headers }, response }, index, all) {
  const isPreflight = method === 'OPTIONS' && Object.hasOwn(headers, 'access-control-request-method')
  const sent = response.statusCode !== null
  const responseText = sent ? `${response.statusCode}${linesOf(response.headers)}` : linesOf(response.headers).slice(1) || 'no CORS headers'
  // Focusable, so that it can be reached and scrolled with the keyboard.
  const text = (label, content) => {
    const pre = make('pre', { role: 'group', tabIndex: 0 }, content)
    pre.setAttribute('aria-label', `${label} of exchange ${index + 1}`)
    return pre
  }
  return make('article', {},
    make('h3', {}, `${all.length > 1 ? `${index + 1}. ` : ''}${isPreflight ? 'Preflight' : 'Request'}`),
    make('h4', {}, 'The browser sends'),
    text('Request', `${method} ${url}${linesOf(headers)}`),
    make('h4', {}, sent ? 'The server answers' : 'The policy sets on the response ', ...(sent ? [] : [hint('the request itself is not sent')])),
    text('Response', responseText))
}

/** The number of questions so far. An answer to an earlier question is dropped. */
let asked = 0

element('question').addEventListener('submit', async (event) => {
  event.preventDefault()
  const question = ++asked
  try {
    const { ok, body } = await request('explain', { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(questionIn()) })
    if (question !== asked) return
    clear()
    if (ok) showAnswer(body)
    else showFailure(body)
  } catch (error) {
    if (question !== asked) return
    clear()
    showFailure({ message: `The request failed: ${error.message}` })
  }
})

element('api').textContent = window.location.origin
await showRoutes().catch((error) => { element('count').textContent = `The routes could not be loaded: ${error.message}` })
