// The demonstration's page, in the browser: makes the requests of every scenario, one after the other, and shows what the browser let it
// read. Why, it asks its own server, which applies the rules of CORS to the headers that the API really sent.

const embedded = window.parent !== window
const { origin } = window.location

const element = (id) => document.getElementById(id)

/** Makes an element; strings among the children are text, whatever they hold. */
function make (name, properties, ...children) {
  const made = Object.assign(document.createElement(name), properties)
  made.append(...children)
  return made
}

async function ask (path) {
  const response = await fetch(path)
  if (!response.ok) throw new Error(`${path} answered ${response.status}`)
  return response.json()
}

/** What the page itself can tell of a request: the response, or no more than that there is none. */
async function attemptRequest (url, init) {
  try {
    const response = await fetch(url, init)
    return { allowed: true, status: response.status, body: await response.text() }
  } catch (error) {
    return { allowed: false, error: String(error) }
  }
}

function badge (allowed) {
  return make('strong', { className: allowed ? 'badge allowed' : 'badge blocked' }, allowed ? 'Allowed' : 'Blocked')
}

function outcomeText (outcome, reached, method) {
  if (outcome.allowed) return ['The page read the response: ', make('code', {}, `${outcome.status} ${outcome.body.trim()}`)]
  return ['The page got no response, only ', make('code', {}, outcome.error), '. ', {
    request: `The API did receive and answer the ${method}: CORS decides who may read a response, it does not keep requests away.`,
    preflight: `The API received the preflight only: the ${method} itself was never sent.`,
    nothing: 'Nothing of it reached the API.'
  }[reached]]
}

function checkItem ({ passed, subject, meaning }) {
  return make('li', { className: passed ? 'passed' : 'failed' },
    make('span', { className: 'mark' }, passed ? 'Passed: ' : 'Failed: '), make('code', {}, subject), ` ${meaning}.`)
}

function show (place, attempt, outcome, { reached, messages, exchanges }) {
  place.querySelector('h4').append(' ', badge(outcome.allowed))
  place.append(make('p', {}, ...outcomeText(outcome, reached, attempt.init.method)))
  for (const { title, checks } of messages) {
    place.append(make('h5', {}, title), make('ul', {}, ...checks.map(checkItem)))
  }
  if (messages.every(({ checks }) => checks.every(({ passed }) => passed)) !== outcome.allowed) {
    place.append(make('p', { className: 'surprise' }, 'These headers do not explain it: something besides CORS took part.'))
  }
  if (exchanges.length > 0) {
    place.append(make('details', {}, make('summary', {}, exchanges.length === 1 ? 'The exchange' : `The ${exchanges.length} exchanges`),
      ...exchanges.map((text) => make('pre', { tabIndex: 0 }, text))))
  }
}

function summarise (id, column, allowed) {
  element(`summary-${id}`).cells[column].replaceChildren(badge(allowed))
}

const { api, other, scenarios, latest } = await ask('demonstration')
document.body.classList.toggle('embedded', embedded)
element('api').textContent = api
element('origin').textContent = origin
element('here').replaceChildren(make('code', {}, origin))
element('there').replaceChildren(make('code', {}, other))
element('again').addEventListener('click', () => window.location.reload())

const places = new Map()
scenarios.forEach(({ title, about, attempts }, index) => {
  const section = make('section', { className: 'scenario' }, make('h3', {}, `${index + 1}. ${title}`), make('p', { className: 'about' }, about))
  for (const { id, title, path, init } of attempts) {
    const place = make('article', { id }, make('h4', {}, title), make('p', { className: 'request' }, make('code', {}, `${init.method} ${path}`)))
    places.set(id, place)
    section.append(place)
    element('summary').tBodies[0].append(make('tr', { id: `summary-${id}` }, make('th', { scope: 'row' }, title), make('td', {}, '…'), make('td', {}, '…')))
  }
  element('scenarios').append(section)
})

if (embedded) {
  // The page around this one shows it in full, and counts its results in the summary.
  new window.ResizeObserver(() => window.parent.postMessage({ height: document.documentElement.offsetHeight }, other)).observe(document.documentElement)
} else {
  window.addEventListener('message', ({ origin, source, data }) => {
    const frame = element('other')
    if (origin !== other || source !== frame.contentWindow) return
    if ('height' in data) frame.style.height = `${data.height}px`
    else summarise(data.id, 2, data.allowed)
    if (data.last) element('progress').textContent = 'Both pages have made all their requests.'
  })
}

let since = latest
const attempts = scenarios.flatMap(({ attempts }) => attempts)
for (const attempt of attempts) {
  element('progress').textContent = `This page makes its requests: ${attempt.title} …`
  const outcome = await attemptRequest(api + attempt.path, attempt.init)
  const explanation = await ask(`explanation?${new URLSearchParams({ attempt: attempt.id, since, origin })}`)
  since = explanation.latest
  show(places.get(attempt.id), attempt, outcome, explanation)
  summarise(attempt.id, 1, outcome.allowed)
  if (embedded) window.parent.postMessage({ id: attempt.id, allowed: outcome.allowed, last: attempt === attempts.at(-1) }, other)
}

if (!embedded) {
  element('progress').textContent = 'The other page makes its requests …'
  element('other').src = `${other}/`
}
