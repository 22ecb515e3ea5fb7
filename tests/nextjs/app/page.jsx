'use client'

import Image from 'next/image'
import Link from 'next/link'
import { useEffect, useRef, useState } from 'react'
import { scanned } from '../qr.js'

const post = (path, body) =>
  fetch(`/tg${path}`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  })

export default function Page() {
  const [said, say] = useState('')
  const [items, setItems] = useState([])
  const box = useRef(null)

  async function list() {
    const answer = await fetch('/tg/get-saved-messages-media')
    if (answer.ok) setItems(await answer.json())
    say(answer.ok ? 'signed in' : (await answer.json()).code)
  }
  useEffect(() => void list(), [])

  async function signIn(form) {
    const [phone, code] = [form.get('phone'), form.get('code')]
    const sent = await post('/send-code', { phone })
    if (!sent.ok) return say((await sent.json()).details)
    await post('/sign-in', { phone, code })
    await list()
  }

  return (
    <main>
      <p id="said">{said}</p>
      <form action={signIn}>
        <input name="phone" />
        <input name="code" />
        <button id="sign-in">Sign in</button>
      </form>
      <button id="scan" onClick={() => scanned(box.current, list)}>
        Scan
      </button>
      <div id="qr" ref={box} style={{ width: 200 }} />
      {items
        .filter((item) => item.has_thumbnail)
        .slice(0, 6)
        .map((item) => (
          <Link key={item.id} href={`/play/${item.id}`}>
            <Image src={`/tg/stream_thumbnail/${item.id}`} alt={item.name} width={100} height={100} />
          </Link>
        ))}
    </main>
  )
}
