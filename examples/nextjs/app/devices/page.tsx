import { tgServer } from '@tgbridge/client/next'
import type { Metadata } from 'next'
import Link from 'next/link'

import { Devices } from '@/components/devices'

export const metadata: Metadata = { title: 'Devices' }

export default async function Page() {
  const devices = await tgServer().devices().catch(() => null)
  return (
    <main className="page">
      <p>
        <Link href="/">← All media</Link>
      </p>
      <h1>Devices</h1>
      {devices ? <Devices initial={devices} /> : <p role="alert">Telegram cannot be asked at the moment. Please try again.</p>}
    </main>
  )
}
