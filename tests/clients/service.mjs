// @tgbridge/client with a service before the sandbox: node service.mjs <its module> <the service's URL>

import assert from 'node:assert/strict'

const [, , path, baseUrl] = process.argv
const { createClient } = await import(path)

/** As a browser does: one session, by the cookie. */
function browser(options) {
  let cookie = ''
  return createClient({
    baseUrl,
    headers: () => (cookie ? { cookie } : {}),
    async fetch(...request) {
      const answer = await fetch(...request)
      for (const set of answer.headers.getSetCookie()) cookie = set.split(';')[0]
      return answer
    },
    ...options,
  })
}

const ended = []
const tg = browser({ onSessionEnded: ({ code }) => ended.push(code) })
await assert.rejects(tg.media.list(), { name: 'TgbridgeError', status: 401, code: 'NOT_AUTHENTICATED', isSessionEnded: true })
assert.deepEqual(ended.splice(0), ['NOT_AUTHENTICATED'])
await assert.rejects(tg.login.submitCode('1'), { code: 'CODE_NOT_REQUESTED' })

// A login in steps; whatever goes wrong leaves it at its step.
const steps = []
tg.login.subscribe(() => steps.push(tg.login.getState().step))
await assert.rejects(tg.login.sendCode('nobody'), { message: 'Invalid phone number format.', status: 400 })
await tg.login.sendCode('+999 66 2 2001')
await assert.rejects(tg.login.submitCode('00000'), { code: 'PHONE_CODE_INVALID' })
assert.equal(tg.login.getState().step, 'code')
const { hint } = await tg.login.submitCode('22222')
assert.equal(typeof hint, 'string')
await assert.rejects(tg.login.submitPassword('wrong'), { code: 'PASSWORD_HASH_INVALID', status: 400 })
const { user } = await tg.login.submitPassword('tgbridge')
assert.deepEqual(steps, ['code', 'password', 'done'])
assert.equal((await tg.me()).id, user.id)
assert.equal((await tg.session()).state, 'signed_in')
await tg.login.logOut()

await tg.login.sendCode('+9996610001')
await tg.login.submitCode('11111')
assert.ok((await tg.devices()).some(({ current }) => current))

// Pages, counts, days.
const items = []
for await (const page of tg.media.pages({ limit: 3, type: ['photo', 'video'] })) {
  assert.ok(page.items.length <= 3)
  items.push(...page.items)
}
const counts = await tg.media.counts()
assert.equal(items.length, counts.photo + counts.video)
const days = await tg.media.timeline()
assert.equal(days.reduce((sum, { count }) => sum + count, 0), items.length)
const photo = items.find(({ type, has_thumbnail }) => type === 'photo' && has_thumbnail)
assert.deepEqual(await tg.media.get(photo), photo)

// What changes is heard, from the page on.
const { last_event_id: since } = await tg.media.list({ limit: 1 })
const edited = await tg.media.edit(photo, 'Edited <here>')
assert.equal(edited.caption, 'Edited <here>')
assert.deepEqual(await tg.media.delete(photo, 2_000_000_000), { deleted: [photo.id], missing: [2_000_000_000] })
const heard = []
for await (const event of tg.events.listen({ since })) {
  heard.push(event.type)
  if (event.type === 'media_deleted') break
}
assert.deepEqual(heard.at(-1), 'media_deleted')

// A link for whoever has it.
const [item] = (await tg.media.list({ limit: 1 })).items
const { url } = await tg.media.ticket(item, { expiresIn: 60 })
const range = await fetch(url, { headers: { Range: 'bytes=0-9' } })
assert.deepEqual([range.status, (await range.arrayBuffer()).byteLength], [206, 10])

// Aborts are the platform's.
await assert.rejects(tg.media.list({}, AbortSignal.abort()), { name: 'AbortError' })
await assert.rejects(tg.media.get(2_000_000_000), { status: 404, code: 'MEDIA_NOT_FOUND' })
const unreachable = createClient({ baseUrl: 'http://127.0.0.1:1' })
await assert.rejects(unreachable.media.list(), { status: 0, code: 'NETWORK_ERROR', isTemporary: true })

// A QR login shows its code, until nobody wants it any more.
const leaving = new AbortController()
const shown = []
for await (const step of browser().login.qr(leaving.signal)) {
  shown.push(step.step)
  assert.match(step.url, /^tg:\/\/login\?token=/)
  break
}
assert.deepEqual(shown, ['scan'])

await tg.login.logOut()
assert.deepEqual(ended, [])
