// What the pages of the conformance cases run: makes requests by every means that a browser has, and tells what the page could see of the
// answers. It is an expression, evaluated in each page: a function that runs cases and returns their outcomes.
/* global document, Blob, EventSource, FontFace, Image, URL, Worker, XMLHttpRequest */
/* eslint no-unused-expressions: off */
(function runner () {
  const blocked = (error) => ({ result: 'blocked', error: String(error) })

  async function byFetch ({ url, method, headers, credentials, mode, body }) {
    const response = await fetch(url, { method, headers, credentials, mode, body })
    // Piece by piece, as a page reads a stream.
    const decoder = new TextDecoder()
    let text = ''
    if (response.body !== null) {
      const reader = response.body.getReader()
      for (let piece = await reader.read(); !piece.done; piece = await reader.read()) text += decoder.decode(piece.value, { stream: true })
    }
    return { result: response.type === 'opaque' ? 'opaque' : 'readable', status: response.status, body: text, headerNames: [...response.headers.keys()] }
  }

  function byXhr ({ url, method, headers, credentials, upload, body }) {
    return new Promise((resolve, reject) => {
      const xhr = new XMLHttpRequest()
      xhr.open(method, url)
      xhr.withCredentials = credentials === 'include'
      for (const [name, value] of headers) xhr.setRequestHeader(name, value)
      if (upload) xhr.upload.addEventListener('progress', () => {})
      xhr.onerror = () => reject(new Error('error'))
      xhr.onload = () => {
        const lines = xhr.getAllResponseHeaders().split('\r\n').filter((line) => line !== '')
        resolve({ result: 'readable', status: xhr.status, body: xhr.responseText, headerNames: lines.map((line) => line.slice(0, line.indexOf(':'))) })
      }
      xhr.send(body)
    })
  }

  /** The whole runner again, in a worker of the page's origin. */
  function byWorker (step) {
    const source = `onmessage = async ({ data }) => { const [[outcome]] = await (${runner.toString()})()([{ steps: [data] }], 1); postMessage(outcome) }`
    return new Promise((resolve, reject) => {
      const worker = new Worker(URL.createObjectURL(new Blob([source], { type: 'text/javascript' })))
      const end = (settle) => ({ data, message }) => {
        worker.terminate()
        settle(data ?? message)
      }
      worker.onmessage = end(resolve)
      worker.onerror = end(reject)
      worker.postMessage({ ...step, by: 'fetch' })
    })
  }

  /** Whether an element loads is all that its page sees; without CORS, that is not to read it. */
  function byElement (element, { mode, credentials }, url, parent) {
    return new Promise((resolve, reject) => {
      if (mode === 'cors') element.crossOrigin = credentials === 'include' ? 'use-credentials' : 'anonymous'
      element.onload = () => resolve({ result: mode === 'cors' ? 'readable' : 'opaque' })
      element.onerror = () => reject(new Error('error'))
      element.src = url
      parent?.append(element)
    })
  }

  function byScript (step, type) {
    const script = document.createElement('script')
    script.type = type
    return byElement(script, step, step.url, document.head)
  }

  function byEventSource ({ url, credentials }) {
    return new Promise((resolve, reject) => {
      const source = new EventSource(url, { withCredentials: credentials === 'include' })
      const data = []
      source.onmessage = (event) => {
        if (data.push(event.data) < 2) return
        source.close()
        if (data.join() === 'one,two') resolve({ result: 'readable' })
        else reject(new Error(`unexpected events: ${data}`))
      }
      source.onerror = () => {
        source.close()
        reject(new Error('error'))
      }
    })
  }

  const means = {
    fetch: byFetch,
    xhr: byXhr,
    worker: byWorker,
    module: (step) => byScript(step, 'module'),
    script: (step) => byScript(step, 'text/javascript'),
    image: (step) => byElement(new Image(), step, step.url),
    font: async ({ url }) => {
      await new FontFace('tested', `url("${url}")`).load()
      return { result: 'readable' }
    },
    eventsource: byEventSource
  }

  async function runCase ({ id, steps }) {
    // For browsers whose messages about a request do not name it.
    console.log(`case ${id}`)
    const outcomes = []
    for (const step of steps) outcomes.push(await means[step.by](step).catch(blocked))
    return outcomes
  }

  /** Cases in any order, a few at a time; the steps of each in turn. */
  return async function runCases (cases, atOnce) {
    const outcomes = []
    const waiting = [...cases.entries()]
    const work = async () => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) outcomes[next[0]] = await runCase(next[1])
    }
    await Promise.all(Array.from({ length: atOnce }, work))
    return outcomes
  }
})
