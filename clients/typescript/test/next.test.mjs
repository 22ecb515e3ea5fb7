import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

import { createClient } from '../dist/index.js'
import { imageLoader, imageProps, withTgbridge } from '../dist/next/index.js'

const OURS = { source: '/tg/:path*', destination: 'http://service/:path*' }
const THEIRS = { source: '/a', destination: '/b' }

test('the rewrite stands before those that are there', async () => {
  const rewrites = (config) => withTgbridge(config, { service: 'http://service' }).rewrites()
  assert.deepEqual(await rewrites({}), [OURS])
  assert.deepEqual(await rewrites({ rewrites: async () => [THEIRS] }), [OURS, THEIRS])
  assert.deepEqual(await rewrites({ rewrites: async () => ({ fallback: [THEIRS] }) }), { fallback: [THEIRS], beforeFiles: [OURS] })
  const [slashed] = await rewrites({ trailingSlash: true })
  assert.equal(slashed.destination, 'http://service/:path*/')
})

test('the rest of the configuration is left as it is', () => {
  const config = withTgbridge({ basePath: '/app', images: { formats: ['image/webp'] } }, { images: false })
  assert.deepEqual([config.basePath, config.images], ['/app', { formats: ['image/webp'] }])
  assert.equal(withTgbridge().images.loader, 'custom')
})

test('the loader is found from wherever Next runs', () => {
  const home = process.cwd()
  try {
    for (const directory of [home, '/', tmpdir()]) {
      process.chdir(directory)
      assert.ok(existsSync(join(process.cwd(), withTgbridge().images.loaderFile)), directory)
    }
  } finally {
    process.chdir(home)
  }
})

test('only pictures of the service are asked for by their width', () => {
  const width = 640
  assert.equal(imageLoader({ src: '/tg/stream_thumbnail/1?v=a', width }), '/tg/stream_thumbnail/1?v=a&w=640')
  assert.equal(imageLoader({ src: '/tg/stream_thumbnail/1', width }), '/tg/stream_thumbnail/1?w=640')
  for (const src of ['/logo.svg', 'https://elsewhere.example/a.jpg', 'data:image/gif;base64,R0'])
    assert.equal(imageLoader({ src, width }), src)
})

test('an item without a thumbnail has a picture all the same', () => {
  const { media } = createClient()
  const item = { name: 'a.pdf', caption: '', thumbnail_url: null }
  const props = imageProps(media, item)
  assert.match(props.src, /^data:image\/gif/)
  assert.deepEqual([props.alt, props.width, props.height, 'placeholder' in props], ['a.pdf', 320, 320, false])
  const photo = { ...item, caption: 'Sunset', thumbnail_url: 'stream_thumbnail/1', width: 4, height: 3, blur_data_url: 'data:image/jpeg;base64,' }
  assert.deepEqual(imageProps(media, photo), {
    src: '/stream_thumbnail/1',
    alt: 'Sunset',
    width: 4,
    height: 3,
    placeholder: 'blur',
    blurDataURL: 'data:image/jpeg;base64,',
  })
})
