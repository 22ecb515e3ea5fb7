// 60 MB over a line that is cut, in a page that is loaded anew; then a caption, a link, and deleting with a way back.

import assert from 'node:assert/strict'

import { accessible, ask, open, picture, scenario, signIn } from './browser.mjs'

const BYTES = 60 * 1024 * 1024

await scenario(async () => {
  const page = await open({ acceptDownloads: true, expected: ['ERR_INTERNET_DISCONNECTED', 'status of 4', 'ERR_FAILED', 'ERR_CONNECTION_RESET', 'status of 5'] })
  let begun = 0
  page.on('request', (request) => (begun += request.method() === 'POST' && /\/uploads$/.test(request.url())))
  await signIn(page, '+9996610003')
  await page.getByRole('button', { name: 'Upload' }).waitFor()

  const { path } = await ask('file', { size: BYTES })
  const choose = () => page.locator('input[type=file]').setInputFiles(path)
  const reaches = (bytes) => page.waitForFunction((least) => document.querySelector('.tray progress')?.value >= least, bytes)
  await choose()
  await reaches(8 * 1024 * 1024)
  await picture(page, 'upload')
  await accessible(page)
  await page.getByRole('button', { name: 'Pause' }).click()
  await page.getByText('Paused').waitFor()
  await page.getByRole('button', { name: 'Resume' }).click()

  await page.context().setOffline(true)
  await page.getByText('You are offline.').waitFor()
  await page.context().setOffline(false)
  await reaches(16 * 1024 * 1024)

  page.on('dialog', (dialog) => dialog.accept())
  await page.reload()
  await page.getByRole('button', { name: 'Upload' }).waitFor()
  // What comes next goes wrong twice: the service is full, and the line is cut in the middle of a request.
  const troubles = [
    (route) => route.fulfill({ status: 503, headers: { 'Retry-After': '1' }, json: { error: 'Full.', code: 'POOL_EXHAUSTED', retry_after: 1 } }),
    (route) => route.abort('connectionreset'),
  ]
  await page.route(/\/uploads\/\w/, (route) => (route.request().method() === 'PATCH' && troubles.shift()?.(route)) || route.continue())
  await choose()
  await choose() // by mistake: it is one upload
  await reaches(16 * 1024 * 1024)
  assert.equal(await page.locator('.tray > div').count(), 1)
  await page.getByLabel('Uploads').getByText('Saved').waitFor()
  assert.deepEqual(await ask('sent'), { messages: 1, same: true })
  assert.equal(troubles.length, 0)
  assert.equal(begun, 1) // the page that was loaded anew went on with what was there

  await page.getByRole('button', { name: /^Files/ }).click()
  const tile = page.locator('.tile', { hasText: 'large.bin' })
  await tile.click()
  await page.getByRole('button', { name: 'Add a caption' }).click()
  await page.getByRole('textbox', { name: 'Caption' }).fill('Sixty <b>megabytes</b>')
  await page.keyboard.press('Enter')
  await page.getByRole('dialog').getByText('Sixty <b>megabytes</b>').waitFor()

  await page.getByText('Share').click()
  await page.getByRole('button', { name: 'a day' }).click()
  const link = await page.getByLabel('Link').inputValue()
  const stranger = await open({ path: '/sign-in' })
  const answer = await stranger.request.get(link, { headers: { Range: 'bytes=0-99' } })
  assert.deepEqual([answer.status(), (await answer.body()).length], [206, 100])

  await page.getByRole('button', { name: 'Delete' }).click()
  await tile.waitFor({ state: 'detached' })
  await page.getByRole('button', { name: 'Undo' }).click()
  await tile.waitFor()
  await tile.click()
  await page.keyboard.press('Delete')
  await tile.waitFor({ state: 'detached' })
  await ask('gone')
  assert.deepEqual(page.failures, [])
})
