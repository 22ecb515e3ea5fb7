// What the scenarios share: a Chromium, and a test in Python that is asked to do what a page can't.

import assert from 'node:assert/strict'
import { mkdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { createInterface } from 'node:readline'

import { chromium } from 'playwright-core'

export const [, , base, pictures, executablePath, ...flags] = process.argv
mkdirSync(pictures, { recursive: true })

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()

/** Have the test do something beside the page, such as changing a message with another client. */
export async function ask(what, argument = {}) {
  console.log(JSON.stringify({ ask: what, ...argument }))
  const { value } = await lines.next()
  return JSON.parse(value)
}

const browser = await chromium.launch({
  executablePath,
  args: ['--no-sandbox', '--disable-gpu', '--mute-audio', '--autoplay-policy=no-user-gesture-required', ...flags],
})

/** A page of a browser that nobody has used yet. What goes wrong in it fails the scenario, but for `expected`. */
export async function open({ path = '/', expected = [], script, ...options } = {}) {
  const context = await browser.newContext({ viewport: { width: 1200, height: 800 }, ignoreHTTPSErrors: true, ...options })
  if (script) await context.addInitScript(script)
  const page = await context.newPage()
  page.setDefaultTimeout(60_000)
  page.failures = []
  page.on('pageerror', (error) => page.failures.push(error.message))
  page.on('console', (message) => {
    if (message.type() === 'error' && !expected.some((text) => message.text().includes(text))) page.failures.push(message.text())
  })
  await page.goto(base + path)
  return page
}

export async function signIn(page, phone, code = '11111') {
  await page.getByLabel('Phone number').fill(phone)
  await page.getByRole('button', { name: 'Send me a code' }).click()
  await page.getByLabel('Code').fill(code)
  await page.getByRole('button', { name: 'Sign in' }).click()
}

export async function picture(page, name) {
  await page.screenshot({ path: `${pictures}/${name}.jpg`, quality: 75 })
}

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** Whatever axe finds, in light and in dark. */
export async function accessible(page) {
  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme })
    await page.evaluate(axe)
    const { violations } = await page.evaluate(() => globalThis.axe.run())
    assert.deepEqual(violations.map(({ id, nodes }) => [id, nodes[0].html]), [])
  }
  await page.emulateMedia({ colorScheme: 'light' })
}

/** Run a scenario, and say so to the test. */
export async function scenario(steps) {
  try {
    await steps()
    console.log(JSON.stringify({ done: true }))
  } catch (error) {
    for (const [index, page] of browser.contexts().flatMap((context) => context.pages()).entries()) {
      await picture(page, `failure-${index + 1}`)
      const state = () => [location.href, scrollY, document.activeElement?.outerHTML.slice(0, 300)]
      console.error(await page.evaluate(state), page.failures)
    }
    throw error
  } finally {
    await browser.close()
  }
  process.exit(0)
}
