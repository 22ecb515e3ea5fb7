import assert from 'node:assert/strict'
import { mock, test } from 'node:test'

import { Backoff, online, sleep } from '../dist/waiting.js'

test('waits double up to half a minute, and begin anew', async () => {
  const waits = []
  mock.method(Math, 'random', () => 1)
  mock.method(globalThis, 'setTimeout', (run, milliseconds) => void (waits.push(milliseconds / 1000), run()))
  const backoff = new Backoff()
  for (let turn = 0; turn < 8; turn += 1) await backoff.wait()
  backoff.reset()
  await backoff.wait()
  await backoff.wait(undefined, 20) // as long as the service says
  mock.restoreAll()
  assert.deepEqual(waits, [0.5, 1, 2, 4, 8, 16, 30, 30, 0.5, 20])
})

test('an abort ends a wait at once, with its reason', async () => {
  const ended = new AbortController()
  const waiting = sleep(60, ended.signal)
  ended.abort()
  await assert.rejects(waiting, { name: 'AbortError' })
  await assert.rejects(sleep(0, ended.signal), { name: 'AbortError' })
})

test('who is offline waits for the network', async () => {
  Object.defineProperty(globalThis, 'navigator', { value: { onLine: false }, configurable: true })
  const page = new EventTarget()
  globalThis.addEventListener = page.addEventListener.bind(page)
  const ended = new AbortController()
  const [waiting, aborted] = [online(), online(ended.signal)]
  ended.abort()
  await assert.rejects(aborted, { name: 'AbortError' })
  page.dispatchEvent(new Event('online'))
  await waiting
  delete globalThis.addEventListener
  delete globalThis.navigator
})
