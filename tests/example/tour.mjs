// What depends on where page and service are: cookies, pictures, films, events, uploads, links.

import assert from 'node:assert/strict'

import { ask, base, open, scenario, signIn } from './browser.mjs'

await scenario(async () => {
  const page = await open({ path: '/devices' })
  assert.match(page.url(), /\/sign-in\?next=%2Fdevices$/)
  await signIn(page, '+9996610003')
  await page.getByRole('heading', { name: 'Devices' }).waitFor()
  const cookies = await page.context().cookies()
  const secure = base.startsWith('https:')
  assert.deepEqual(cookies.map(({ name, httpOnly }) => [name, httpOnly]), [[secure ? '__Host-tgbridge' : 'tgbridge', true]])
  assert.ok((await page.locator('.devices li').count()) > 0) // asked for by the server
  await page.getByRole('link', { name: 'All media' }).click()

  const tile = page.getByRole('button', { name: /^From elsewhere/ })
  await page.getByRole('button', { name: 'Upload' }).waitFor()
  await page.locator('.tile img').first().evaluate((image) => image.decode())
  const { id } = await ask('add', { caption: 'From elsewhere', phone: '+9996610003' })
  await tile.waitFor()
  await tile.click()
  await page.getByRole('dialog').locator('img').evaluate((image) => image.decode())
  await page.getByText('Share').click()
  await page.getByRole('button', { name: 'an hour' }).click()
  const link = await page.getByLabel('Link').inputValue()
  const stranger = await open({ path: '/sign-in' })
  assert.equal(await stranger.evaluate(async (url) => (await fetch(url)).status, link), 200)
  await page.keyboard.press('Escape')
  await ask('delete', { message: id, phone: '+9996610003' })
  await tile.waitFor({ state: 'detached' })

  // 12 MB: more than one request, and more than a rewrite of Next.js takes in one.
  const { path } = await ask('file', { size: 12 * 1024 * 1024 })
  await page.locator('input[type=file]').setInputFiles(path)
  await page.getByLabel('Uploads').getByText('Saved').waitFor()
  assert.deepEqual(await ask('sent'), { messages: 1, same: true })

  await page.getByRole('button', { name: 'Log out' }).click()
  await page.getByLabel('Phone number').waitFor()
  assert.deepEqual(page.failures, [])
})
