// Signing in by a code, with a password, and by a QR code; out again; and a session that ends elsewhere.

import assert from 'node:assert/strict'

import { accessible, ask, open, picture, scenario, signIn } from './browser.mjs'

// What a telephone would read off the screen.
const LINK = () => {
  const parse = JSON.parse
  JSON.parse = (text) => {
    const value = parse(text)
    if (value?.url?.startsWith?.('tg://')) globalThis.link = value.url
    return value
  }
}

await scenario(async () => {
  const page = await open({ path: '/devices', expected: ['status of 400', 'status of 401', 'status of 503'] })
  assert.match(page.url(), /\/sign-in\?next=%2Fdevices$/)
  await accessible(page)
  await picture(page, 'sign-in')

  await page.getByLabel('Phone number').fill('nobody')
  await page.getByRole('button', { name: 'Send me a code' }).click()
  await page.getByText('Invalid phone number format.').waitFor()
  await signIn(page, '(+999) 66-1 00 01', '12345')
  await page.getByText('Invalid code. Please try again.').waitFor()
  await accessible(page)
  await page.getByLabel('Code').fill('1 1 1 1 1')
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { name: 'Devices' }).waitFor() // where we wanted to go
  await accessible(page)
  await page.getByRole('link', { name: 'All media' }).click()
  await page.getByRole('button', { name: 'Log out' }).click()
  await page.getByLabel('Phone number').waitFor()

  await signIn(page, '+9996622001', '22222')
  await page.getByLabel(/^Password/).fill('wrong')
  await page.keyboard.press('Enter')
  await page.getByText('Invalid password. Please try again.').waitFor()
  await page.getByLabel(/^Password/).fill('tgbridge')
  await page.keyboard.press('Enter')
  await page.getByRole('button', { name: /Photos and videos/ }).waitFor()
  assert.deepEqual(page.failures, [])

  const other = await open({ script: LINK })
  await other.getByRole('button', { name: 'Use a QR code' }).click()
  await other.locator('.qr svg').waitFor()
  await picture(other, 'qr')
  await ask('scan', { url: await other.evaluate(() => globalThis.link) })
  await other.getByRole('button', { name: /Photos and videos/ }).waitFor()
  assert.deepEqual(other.failures, [])

  await ask('revoke')
  await other.getByText('You have been signed out.').waitFor()
  await accessible(other)
  await other.getByRole('button', { name: 'Sign in again' }).click()
  await other.getByLabel('Phone number').waitFor()
})
