import assert from 'node:assert/strict'
import { test } from 'node:test'

import { createClient } from '../dist/index.js'

/** A client whose requests are kept, and answered in turn. */
function answering(...answers) {
  const asked = []
  const tg = createClient({
    baseUrl: 'https://app.example.com/tg/',
    async fetch(url, { method, body }) {
      asked.push([method, url.replace('https://app.example.com/tg/', ''), body])
      return Response.json(answers.shift())
    },
  })
  return { tg, asked }
}

test('references of the service hold under any prefix', () => {
  for (const [baseUrl, prefix] of [['', '/'], ['/tg', '/tg/'], ['https://tg.example.com/', 'https://tg.example.com/']]) {
    const { media } = createClient({ baseUrl })
    const item = { url: 'stream_media/33?v=abc', thumbnail_url: 'stream_thumbnail/33?v=abc' }
    assert.equal(media.url(item), `${prefix}stream_media/33?v=abc`)
    assert.equal(media.url(item, { download: true }), `${prefix}stream_media/33?v=abc&download=1`)
    assert.equal(media.thumbnail(item, { width: 640 }), `${prefix}stream_thumbnail/33?v=abc&w=640`)
    assert.equal(media.thumbnail(item, { size: 'large' }), `${prefix}stream_thumbnail/33?v=abc&size=large`)
    assert.equal(media.thumbnail({ thumbnail_url: null }), null)
  }
})

test('pages are asked for as they are used', async () => {
  const [first, second] = [[{ id: 3 }, { id: 2 }], [{ id: 1 }]]
  const { tg, asked } = answering({ items: first, next: 'media?type=photo%2Cvideo&before=2' }, { items: second, next: null })
  const ids = []
  for await (const { id } of tg.media.all({ type: ['photo', 'video'], since: new Date('2026-11-28'), blur: false })) {
    ids.push(id)
    assert.equal(asked.length, id > 1 ? 1 : 2)
  }
  assert.deepEqual(ids, [3, 2, 1])
  assert.deepEqual(asked.map(([, url]) => url), [
    'media?limit=200&type=photo%2Cvideo&since=2026-11-28T00%3A00%3A00.000Z&blur=0',
    'media?type=photo%2Cvideo&before=2',
  ])
})

test('thousands are deleted by the thousand', async () => {
  const { tg, asked } = answering({ deleted: [1], missing: [2] }, { deleted: [1001], missing: [] })
  const ids = Array.from({ length: 1001 }, (_, index) => index + 1)
  assert.deepEqual(await tg.media.delete(...ids), { deleted: [1, 1001], missing: [2] })
  assert.deepEqual(asked.map(([, , body]) => JSON.parse(body).ids.length), [1000, 1])
})

test('a link to share is absolute', async () => {
  const { tg, asked } = answering({ url: 'ticket_abc/a.jpg', thumbnail_url: null, expires_at: '2026-11-28T00:00:00Z' })
  const ticket = await tg.media.ticket({ id: 7 }, { expiresIn: 60 })
  assert.deepEqual([ticket.url, ticket.thumbnail_url], ['https://app.example.com/tg/ticket_abc/a.jpg', null])
  assert.deepEqual(asked, [['POST', 'media/7/ticket', '{"expires_in":60}']])
})
