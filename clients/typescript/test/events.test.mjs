import assert from 'node:assert/strict'
import { mock, test } from 'node:test'

import { createClient } from '../dist/index.js'

mock.method(Math, 'random', () => -1) // connects again at once

/** A service that holds back its streams: `asked` are their URLs, `send` writes to the newest of them. */
function service(answer, onSessionEnded) {
  const asked = []
  let stream
  let wake = () => {}
  const tg = createClient({
    baseUrl: 'http://service',
    onSessionEnded,
    async fetch(url, { signal }) {
      asked.push(url)
      wake()
      const other = answer?.(asked.length)
      if (other) return other
      const body = new ReadableStream({ start: (controller) => void (stream = controller) })
      signal.addEventListener('abort', () => stream.error(signal.reason))
      return new Response(body)
    },
  })
  const send = (text) => stream.enqueue(new TextEncoder().encode(text))
  const until = async (connections) => {
    while (asked.length < connections) await new Promise((resolve) => (wake = resolve))
    await new Promise(setImmediate)
  }
  return { tg, asked, send, until, cut: () => stream.error(new TypeError('cut')), end: () => stream.close() }
}

const added = (id) => `id: at-${id}\nevent: media_added\ndata: {"id": ${id}}\n\n`
const next = () => new Promise(setImmediate)

test('all listeners of a page share one stream, which ends with the last of them', async () => {
  const { tg, asked, send, until } = service()
  const heard = []
  const [first, second] = ['first', 'second'].map((name) => tg.events.subscribe(({ item }) => heard.push([name, item.id])))
  await until(1)
  send(added(1))
  await next()
  first()
  send(added(2))
  await next()
  second()
  await next()
  assert.throws(() => send(added(3)))
  assert.deepEqual(heard, [['first', 1], ['second', 1], ['second', 2]])
  assert.equal(asked.length, 1)
})

test('a stream that is cut, or that ends, goes on where it was', async () => {
  const { tg, asked, send, until, cut, end } = service()
  const stop = tg.events.subscribe(() => {}, { since: 'page one' })
  await until(1)
  send(added(7))
  await next()
  cut()
  await until(2)
  end()
  await until(3)
  stop()
  const place = (url) => new URL(url).searchParams.get('last_event_id')
  assert.deepEqual(asked.map(place), ['page one', 'at-7', 'at-7'])
})

test('a listener that fails harms neither the others nor the stream', async () => {
  const { tg, asked, send, until } = service()
  const failures = []
  mock.method(globalThis, 'queueMicrotask', (run) => {
    try {
      run()
    } catch (error) {
      failures.push(error.message)
    }
  })
  const heard = []
  const ends = [tg.events.subscribe(() => JSON.parse('{')), tg.events.subscribe(({ item }) => heard.push(item.id))]
  await until(1)
  send(added(1) + added(2))
  await next()
  ends.forEach((end) => end())
  globalThis.queueMicrotask.mock.restore()
  assert.deepEqual([heard, failures.length, asked.length], [[1, 2], 2, 1])
})

test('a session that has ended is the last that is heard', async () => {
  const ended = []
  const { tg, asked } = service(() => new Response('{"error": "…", "code": "SESSION_REVOKED"}', { status: 401 }), ({ code }) => ended.push(code))
  const heard = []
  for await (const event of tg.events.listen()) heard.push(event)
  assert.deepEqual([heard, asked.length, ended], [[{ type: 'session_ended', code: 'SESSION_REVOKED' }], 1, ['SESSION_REVOKED']])
})

test('a service that fails is asked again', async () => {
  const { tg, send, until } = service((number) => number < 4 && new Response('', { status: [503, 404, 502][number - 1] }))
  const heard = []
  const listening = (async () => {
    for await (const event of tg.events.listen()) {
      heard.push(event)
      return
    }
  })()
  await until(4)
  send('event: of_a_later_version\ndata: {}\n\nevent: reload\ndata: {}\n\n')
  await listening
  assert.deepEqual(heard, [{ type: 'reload' }])
})

test('an abort ends the loop', async () => {
  const { tg, until } = service()
  const ended = new AbortController()
  const listening = Promise.resolve().then(async () => {
    for await (const _ of tg.events.listen({ signal: ended.signal }));
  })
  await until(1)
  ended.abort()
  await listening
})
