import assert from 'node:assert/strict'
import { test } from 'node:test'

import { readEvents } from '../dist/event-stream.js'

const answerOf = (chunks) => new Response(ReadableStream.from(chunks))

async function collect(answer, options) {
  const events = []
  for await (const event of readEvents(answer, options)) events.push(event)
  return events
}

const TEXT = ': heartbeat\r\nid: 1\r\nevent: media_added\r\ndata: {"name":\r\ndata:  "Größe 🌅"}\r\n\r\nretry: 1500\nid\n\rdata:x\r\rdata: cut'
const EVENTS = [
  { event: 'media_added', data: '{"name":\n "Größe 🌅"}', id: '1' },
  { event: 'message', data: 'x', id: '' },
]

test('the same events come of a text wherever it is cut', async () => {
  const bytes = new TextEncoder().encode(TEXT)
  for (let at = 0; at <= bytes.length; at += 1) {
    const retries = []
    const events = await collect(answerOf([bytes.slice(0, at), bytes.slice(at)]), { onRetry: (each) => retries.push(each) })
    assert.deepEqual([events, retries], [EVENTS, [1500]], `cut at ${at}`)
  }
  assert.deepEqual(await collect(answerOf([...bytes].map((byte) => Uint8Array.of(byte)))), EVENTS)
})

test('an event without data is none, and an empty line of data is one', async () => {
  const bytes = new TextEncoder().encode('event: a\n\ndata\n\n')
  assert.deepEqual(await collect(answerOf([bytes])), [{ event: 'message', data: '', id: '' }])
})

test('a line that is cut is an error that may be tried again', async () => {
  const cut = new ReadableStream({ pull: (controller) => controller.error(new TypeError('network')) })
  await assert.rejects(collect(new Response(cut)), { name: 'TgbridgeError', code: 'NETWORK_ERROR', isTemporary: true })
})

test('a line that stays silent is taken for cut, and closed', async () => {
  let isClosed = false
  const silent = new ReadableStream({ cancel: () => void (isClosed = true) })
  await assert.rejects(collect(new Response(silent), { silence: 0.01 }), { code: 'NETWORK_ERROR' })
  await new Promise(setImmediate)
  assert.ok(isClosed)
})

test('what is aborted throws what it was aborted with', async () => {
  for (const reason of [undefined, new Error('mine')]) {
    const ended = new AbortController()
    let fail
    const reading = collect(new Response(new ReadableStream({ start: (it) => void (fail = it) })), { signal: ended.signal })
    ended.abort(reason)
    fail.error(ended.signal.reason)
    await assert.rejects(reading, (error) => error === ended.signal.reason)
  }
})

test('leaving the loop closes the line', async () => {
  let isClosed = false
  const stream = new ReadableStream({
    start: (it) => it.enqueue(new TextEncoder().encode('data: 1\n\ndata: 2\n\n')),
    cancel: () => void (isClosed = true),
  })
  for await (const { data } of readEvents(new Response(stream))) {
    assert.equal(data, '1')
    break
  }
  await new Promise(setImmediate)
  assert.ok(isClosed)
})
