// Each kind of file: a PDF, music, a voice message, a GIF, a film, a file that is only to be kept. By the keyboard too.

import assert from 'node:assert/strict'

import { accessible, open, picture, scenario, signIn } from './browser.mjs'

await scenario(async () => {
  const page = await open({ path: '/sign-in' })
  await signIn(page, '+9996610001')
  const viewer = page.getByRole('dialog')
  const show = async (view, name) => {
    await page.getByRole('button', { name: view }).click()
    await page.getByRole('button', { name }).click()
    await viewer.waitFor()
  }
  const close = async () => {
    await page.keyboard.press('Escape')
    await viewer.waitFor({ state: 'detached' })
  }
  const plays = (player) => player.evaluate((element) => new Promise((resolve, reject) => {
    element.addEventListener('error', () => reject(new Error(element.error.message)))
    element.addEventListener('timeupdate', () => element.currentTime > 0.2 && resolve())
  }))

  const pdf = page.waitForResponse((response) => response.headers()['content-type'] === 'application/pdf')
  await show(/^Files/, /^Field notes/)
  assert.equal((await pdf).status(), 200)
  await accessible(page)
  await picture(page, 'pdf')
  await close()
  await show(/^Files/, /zip|旅の記録/)
  await viewer.getByText('can be downloaded.').waitFor()
  const download = page.waitForEvent('download')
  await viewer.getByRole('link', { name: 'Download' }).click()
  assert.match((await download).suggestedFilename(), /\.zip$/)
  await close()

  await show(/^Music/, /^🎸/)
  await plays(viewer.locator('audio'))
  await accessible(page)
  await picture(page, 'music')
  // Space stops it and lets it go on, without a look for the button.
  await viewer.press(' ')
  assert.equal(await viewer.locator('audio').evaluate(({ paused }) => paused), true)
  await viewer.press(' ')
  assert.equal(await viewer.locator('audio').evaluate(({ paused }) => paused), false)
  await close()

  await show(/^Voice/, /voice/)
  await plays(viewer.locator('audio'))
  assert.ok((await viewer.locator('.waveform rect').count()) > 20)
  await accessible(page)
  await picture(page, 'voice')
  await close()

  await show(/^Photos and videos/, /^Over the valley/)
  const film = viewer.locator('video')
  const poster = await page.request.get(new URL(await film.getAttribute('poster'), page.url()).href)
  assert.deepEqual([poster.status(), poster.headers()['content-type']], [200, 'image/jpeg'])
  await plays(film)
  await close()
  await page.getByRole('button', { name: /^Over the valley/ }).and(page.locator(':focus')).waitFor() // where it was

  // Who wants things to keep still starts a GIF oneself.
  await show(/^GIFs/, /animation/)
  await plays(viewer.locator('video'))
  await close()
  await page.emulateMedia({ reducedMotion: 'reduce' })
  await show(/^GIFs/, /animation/)
  await viewer.locator('video').evaluate((video) => video.readyState > 1 || new Promise((resolve) => video.addEventListener('loadeddata', resolve)))
  assert.equal(await viewer.locator('video').evaluate(({ paused }) => paused), true)
  await close()
  assert.deepEqual(page.failures, [])
})
