// The demonstration's page, in the browser. It asks its own server what app.cors.explain predicts, makes the request, and shows both, with what
// went over the wire. The page that is opened has the same page from the other origin in a frame, which tries what it is told.
/* global ResizeObserver, URLSearchParams, document, fetch, window */

const embedded = window.parent !== window

const element = (id) => document.getElementById(id)

/** Makes an element; strings among the children are text, whatever they hold. */
function make (name, properties, ...children) {
  const made = Object.assign(document.createElement(name), properties)
  made.append(...children)
  return made
}

const code = (text) => make('code', {}, text)
const hint = (text) => make('span', { className: 'hint' }, text)
const badge = (allowed) => make('strong', { className: allowed ? 'badge allowed' : 'badge blocked' }, allowed ? 'Allowed' : 'Blocked')

/** Asks this page's own server. */
async function ask (path, method = 'GET', body) {
  const response = await fetch(path, { method, ...(body !== undefined && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }) })
  return { ok: response.ok, answer: await response.json() }
}

const { api, here, other, allowedOrigin, groups, tenants } = (await ask('demonstration')).answer
const presets = groups.flatMap((group) => group.presets.map((preset) => ({ headers: [], credentials: false, body: '', ...preset, about: group.about })))

// One attempt: what explain predicts, then what the browser does

/** What a page can tell of its request: the response, or no more than that there is none. */
async function send ({ method, path, headers, credentials, body }) {
  try {
    const response = await fetch(api + path, { method, headers, credentials: credentials ? 'include' : 'omit', ...(body !== '' && { body }) })
    return { allowed: true, status: response.status, text: await response.text() }
  } catch (error) {
    return { allowed: false, error: String(error) }
  }
}

async function attempt (request) {
  const { method, path, headers, credentials } = request
  const question = { method, url: api + path, headers: {}, credentials }
  for (const [name, value] of headers) question.headers[name] = [...question.headers[name] ?? [], value]
  const { ok, answer } = await ask('prediction', 'POST', question)
  if (!ok) return { problem: answer.message }
  const outcome = await send(request)
  const exchanges = await ask(`exchanges?${new URLSearchParams({ since: answer.latest, path })}`)
  return { prediction: answer, outcome, exchanges: exchanges.answer }
}

/** Tries a request from this page, and shows it. Says what was predicted, and what was so. */
async function tryHere (request) {
  const { problem, prediction, outcome, exchanges } = await attempt(request)
  element('attempt').replaceChildren(...problem === undefined ? attemptElements(request, prediction, outcome, exchanges) : [make('p', {}, make('strong', { className: 'badge blocked' }, 'Not asked')), make('pre', { tabIndex: 0 }, problem)])
  return { code: prediction?.code, predicted: prediction?.allowed, actual: outcome?.allowed }
}

function attemptElements ({ method }, prediction, outcome, exchanges) {
  const right = prediction.allowed === outcome.allowed
  const remembered = prediction.exchanges.length > exchanges.length && !exchanges.some(({ preflight }) => preflight)
  return [
    make('dl', {},
      make('div', {}, make('dt', {}, 'explain predicts'), make('dd', {}, badge(prediction.allowed), ' ', ...(prediction.reason === null ? [] : [code(prediction.reason)]))),
      make('div', {}, make('dt', {}, 'The browser did'), make('dd', {}, badge(outcome.allowed)))),
    make('p', { className: right ? 'right' : 'wrong' }, right ? 'The prediction came true.' : 'The prediction was wrong: something besides CORS took part.'),
    make('p', { className: 'message' }, `${prediction.message}.`),
    ...(prediction.advice === null ? [] : [make('p', { className: 'advice' }, make('strong', {}, 'What to write: '), prediction.advice)]),
    make('p', {}, ...outcomeText(outcome, exchanges, method)),
    ...(remembered ? [make('p', { className: 'hint' }, 'No preflight this time: the browser remembers the answer to an earlier one (Access-Control-Max-Age).')] : []),
    ...exchanges.flatMap(({ preflight, text }) => {
      const title = preflight ? 'Preflight' : 'Request'
      const shown = make('pre', { tabIndex: 0, role: 'group' }, text)
      shown.setAttribute('aria-label', title)
      return [make('h3', {}, title), shown]
    })
  ]
}

function outcomeText (outcome, exchanges, method) {
  if (outcome.allowed) return ['The page read the response: ', code(`${outcome.status} ${outcome.text.trim()}`.trim())]
  return ['The page got no response, only ', code(outcome.error), '. ', exchanges.length === 0
    ? 'Nothing of it reached the API.'
    : exchanges.some(({ preflight }) => !preflight)
      ? `The API did receive and answer the ${method}: CORS decides who may read a response, it does not keep requests away.`
      : `The API received the preflight only: the ${method} itself was never sent.`]
}

document.body.classList.toggle('embedded', embedded)
element('here').textContent = here
element('who').textContent = here === allowedOrigin ? 'the partner' : 'a stranger'

if (embedded) {
  // Asked for it and not left to an observer alone: browsers do not run those of a frame that is not in sight.
  const tell = (more) => window.parent.postMessage({ height: document.documentElement.offsetHeight, ...more }, other)
  window.addEventListener('message', async ({ origin, source, data: { request } }) => {
    if (origin !== other || source !== window.parent) return
    tell(request === undefined ? {} : { result: await tryHere(request) })
  })
  tell({ ready: true })
} else {
  // The page around

  const frame = element('other')
  let heard = () => {}
  const answerOfFrame = () => new Promise((resolve) => { heard = resolve })
  window.addEventListener('message', ({ origin, source, data: { height, ready, result } }) => {
    if (origin !== other || source !== frame.contentWindow) return
    frame.style.height = `${height}px`
    if (ready || result !== undefined) heard(result)
  })

  async function tryBoth (request) {
    const first = await tryHere(request)
    const answered = answerOfFrame()
    frame.contentWindow.postMessage({ request }, other)
    element('code').textContent = first.code ?? '// No route, so no policy.'
    return [first, await answered]
  }

  /** One after the other: what the second changes must not disturb the first. */
  let queue = Promise.resolve()
  function queued (task) {
    queue = queue.then(task)
    return queue
  }

  function fill ({ id, method, path, headers, body, credentials, about = '' }) {
    element('method').value = method
    element('path').value = path
    element('headers').value = headers.map(([name, value]) => `${name}: ${value}`).join('\n')
    element('body').value = body
    element('credentials').checked = credentials
    element('about').textContent = about
    for (const button of document.querySelectorAll('#presets button')) button.setAttribute('aria-pressed', String(button.id === `preset-${id}`))
  }

  /** What the form says. A page cannot send a body by GET or HEAD. */
  function requestIn () {
    const value = (id) => element(id).value.trim()
    const method = value('method') || 'GET'
    const headers = value('headers').split('\n').filter((line) => line.trim() !== '').map((line) => {
      const [, name, text = ''] = /^([^:]*):?(.*)$/.exec(line)
      return [name.trim(), text.trim()]
    })
    return { method, path: `/${value('path').replace(/^\/+/, '')}`, headers, credentials: element('credentials').checked, body: /^(?:get|head)$/i.test(method) ? '' : value('body') }
  }

  async function tryForm () {
    const request = requestIn()
    await queued(async () => {
      element('progress').textContent = 'Trying …'
      const results = await tryBoth(request)
      const [first, second] = results.map(({ actual }) => actual === undefined ? 'not asked' : actual ? 'allowed' : 'blocked')
      element('progress').textContent = `From ${here}: ${first}. From ${other}: ${second}.`
    })
  }

  element('api').textContent = api
  element('allowed-origin').textContent = `'${allowedOrigin}'`
  element('inspector').href = `${api}/_cors/`
  element('swap').href = `${other}/`
  element('first').textContent = here
  element('second').textContent = other

  for (const group of groups) {
    const buttons = group.presets.map(({ id, title }) => make('button', { id: `preset-${id}`, type: 'button', className: 'quiet' }, title))
    const place = make('div', { className: 'presets', role: 'group' }, hint(group.title), ...buttons)
    place.setAttribute('aria-label', group.title)
    element('presets').append(place)
  }
  for (const preset of presets) {
    element(`preset-${preset.id}`).addEventListener('click', () => {
      fill(preset)
      tryForm()
    })
  }
  element('request').addEventListener('submit', (event) => {
    event.preventDefault()
    tryForm()
  })

  for (const [index, origin] of [allowedOrigin, allowedOrigin === here ? other : here].entries()) {
    const box = make('input', { type: 'checkbox', id: `tenant-${index}`, value: origin, checked: tenants.includes(origin) })
    const label = make('label', { htmlFor: box.id }, code(origin))
    element('tenants').append(make('p', { className: 'choice' }, box, ' ', label))
    box.addEventListener('change', async () => {
      await ask('tenants', 'PUT', [...document.querySelectorAll('#tenants input:checked')].map(({ value }) => value))
      await tryForm()
    })
  }

  element('all').addEventListener('click', () => queued(async () => {
    const rows = element('summary').tBodies[0]
    rows.replaceChildren()
    element('summary').hidden = false
    let right = 0
    for (const preset of presets) {
      element('score').textContent = `Trying “${preset.title}” …`
      fill(preset)
      const results = await tryBoth(requestIn())
      right += results.filter(({ predicted, actual }) => predicted === actual).length
      const cells = results.flatMap(({ predicted, actual }) => [predicted, actual]).map((allowed) => make('td', {}, badge(allowed)))
      rows.append(make('tr', { id: `summary-${preset.id}` }, make('th', { scope: 'row' }, preset.title, ' ', hint(`${preset.method} ${preset.path}`)), ...cells))
    }
    element('score').textContent = `${right} of ${presets.length * 2} predictions came true.`
  }))

  const ready = answerOfFrame()
  frame.src = `${other}/`
  await ready
  new ResizeObserver(() => frame.contentWindow.postMessage({}, other)).observe(frame.parentElement)
  fill(presets[0])
  await tryForm()
}
