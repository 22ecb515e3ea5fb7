import assert from 'node:assert/strict'
import { test } from 'node:test'

import { errorFrom } from '../dist/errors.js'

const headers = (fields) => (name) => fields[name] ?? null

test('the service says what went wrong', () => {
  const body = JSON.stringify({ error: 'Too many requests. Please try again later.', code: 'FLOOD_WAIT', retry_after: 7, details: 'FLOOD_WAIT_7' })
  const error = errorFrom(429, body, headers({ 'X-Request-Id': 'abc', 'Retry-After': '7' }))
  const { message, status, code, retryAfter, requestId, details, isTemporary, isSessionEnded } = error
  assert.deepEqual(
    { message, status, code, retryAfter, requestId, details, isTemporary, isSessionEnded },
    {
      message: 'Too many requests. Please try again later.',
      status: 429,
      code: 'FLOOD_WAIT',
      retryAfter: 7,
      requestId: 'abc',
      details: 'FLOOD_WAIT_7',
      isTemporary: true,
      isSessionEnded: false,
    },
  )
})

test('a proxy says it in its own way', () => {
  for (const text of ['<h1>Bad Gateway</h1>', '', 'null', '"gone"', '[]', '7', '{']) {
    const error = errorFrom(502, text, headers({ 'Retry-After': '3' }))
    assert.deepEqual([error.message, error.code, error.retryAfter], ['The service answered with status 502.', 'HTTP_502', 3])
  }
})

test('a password that is asked for is no session that has ended', () => {
  const needed = errorFrom(401, '{"error":"…","code":"SESSION_PASSWORD_NEEDED","password_hint":"pet"}', headers({}))
  assert.deepEqual([needed.isSessionEnded, needed.passwordHint], [false, 'pet'])
  const ended = errorFrom(401, '{"error":"…","code":"SESSION_REVOKED"}', headers({}))
  assert.deepEqual([ended.isSessionEnded, ended.isTemporary], [true, false])
})
