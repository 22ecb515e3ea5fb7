// A gallery of two thousand: to its end, without a jump and without asking twice; a film; changes from elsewhere.

import assert from 'node:assert/strict'

import { accessible, ask, open, picture, scenario, signIn } from './browser.mjs'

// Layout shifts that no input of the person's explains, and tasks that hold the page up: https://web.dev/articles/cls
const MEASURE = () => {
  globalThis.shifts = 0
  globalThis.longTasks = []
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) if (!entry.hadRecentInput) globalThis.shifts += entry.value
  }).observe({ type: 'layout-shift', buffered: true })
  new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) globalThis.longTasks.push(Math.round(duration))
  }).observe({ type: 'longtask', buffered: true })
}

await scenario(async () => {
  const page = await open({ script: MEASURE })
  const asked = new Map()
  page.on('request', (request) => {
    if (/\/tg\/(media|stream_thumbnail)/.test(request.url())) asked.set(request.url(), (asked.get(request.url()) ?? 0) + 1)
  })
  await signIn(page, '+9996610001')
  await page.locator('.tile img').first().waitFor()
  await accessible(page)
  await picture(page, 'gallery')
  await page.emulateMedia({ colorScheme: 'dark' })
  await picture(page, 'gallery-dark')
  await page.emulateMedia({ colorScheme: 'light' })

  const { total, oldest } = await ask('extent')
  await page.getByRole('button', { name: `Photos and videos ${total}` }).waitFor()
  await page.evaluate(() => void (globalThis.longTasks = [])) // axe's own
  for (let end = false; !end; ) {
    await page.mouse.wheel(0, 800)
    await page.waitForTimeout(80)
    end = await page.evaluate(() => scrollY + innerHeight >= document.documentElement.scrollHeight - 1)
  }
  await page.locator(`img[src*="stream_thumbnail/${oldest}?"]`).waitFor()
  assert.deepEqual([...asked].filter(([, times]) => times > 1), [])
  const shifts = await page.evaluate(() => globalThis.shifts)
  assert.ok(shifts < 0.05, `CLS ${shifts}`)
  const measured = await page.evaluate(() => ({
    firstPicture: Math.round(performance.getEntriesByType('resource').find(({ name }) => name.includes('stream_thumbnail')).responseEnd),
    longTasks: globalThis.longTasks,
  }))
  console.log(JSON.stringify({ note: { requests: asked.size, shifts, ...measured } })) // milliseconds

  // What the wheel has set in motion is over.
  await page.evaluate(() => new Promise((resolve) => {
    let [before, still] = [scrollY, 0]
    const timer = setInterval(() => {
      still = scrollY === before ? still + 1 : 0
      before = scrollY
      if (still === 5) resolve(clearInterval(timer))
    }, 50)
  }))
  // By the keyboard alone: back to the beginning, open, on, closed; the focus is where it was.
  await page.locator('.tile[tabindex="0"]').focus()
  await page.keyboard.press('Home')
  await page.locator('#tile-0:focus').waitFor()
  await page.keyboard.press('ArrowRight')
  await page.keyboard.press('Enter')
  const viewer = page.getByRole('dialog')
  await viewer.waitFor()
  await accessible(page)
  await page.keyboard.press('ArrowLeft')
  await page.keyboard.press('Escape')
  await viewer.waitFor({ state: 'detached' })

  // The film, whose moov stands at its end: it plays, and seeks both ways.
  const { id } = await ask('film')
  await page.getByLabel('Search captions and names').fill('sunset at sea')
  await page.locator(`.tile:has(img[src*="stream_thumbnail/${id}?"])`).click()
  const film = page.locator('video')
  await film.evaluate((video) => video.play())
  for (const second of [20, 3]) {
    await film.evaluate((video, to) => new Promise((resolve) => {
      video.currentTime = to
      video.addEventListener('timeupdate', () => video.currentTime > to && resolve())
    }), second)
  }
  await picture(page, 'film')
  await page.keyboard.press('Escape')
  await page.getByLabel('Search captions and names').fill('')

  // Another device adds, edits and deletes.
  const added = await ask('add', { caption: 'From my telephone' })
  const tile = page.getByRole('button', { name: /^From my telephone/ })
  await tile.waitFor()
  await ask('edit', { message: added.id, caption: 'Edited there' })
  await page.getByRole('button', { name: /^Edited there/ }).waitFor()
  await ask('delete', { message: added.id })
  await page.getByRole('button', { name: /^Edited there/ }).waitFor({ state: 'detached' })

  await page.setViewportSize({ width: 390, height: 844 })
  await page.emulateMedia({ colorScheme: 'dark' })
  await page.waitForTimeout(300)
  await picture(page, 'phone')
  await accessible(page)
  assert.deepEqual(page.failures, [])
})
