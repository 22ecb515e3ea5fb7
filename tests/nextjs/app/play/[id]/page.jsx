'use client'

import { use, useState } from 'react'
import { upload } from '../../../upload.js'

// Below a path, where relative URLs mislead.
export default function Page({ params }) {
  const { id } = use(params)
  const [drawn, draw] = useState([])
  const [shown, show] = useState([])
  const [failed, fail] = useState('')

  return (
    <main>
      <video src={`/tg/stream_media/${id}`} muted controls width={320} />
      <input
        type="file"
        onChange={({ target }) =>
          upload(target.files[0], 'through a rewrite', {
            draw: (part) => draw((before) => [...before, part]),
            show: (message) => show((before) => [...before, message]),
            fail: (error) => fail(String(error)),
          })
        }
      />
      <p id="drawn">{JSON.stringify(drawn)}</p>
      <p id="shown">{JSON.stringify(shown)}</p>
      <p id="failed">{failed}</p>
    </main>
  )
}
