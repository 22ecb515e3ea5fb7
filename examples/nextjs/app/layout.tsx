import type { Metadata, Viewport } from 'next'
import type { ReactNode } from 'react'

import { Notices } from '@/components/notices'

import './globals.css'

export const metadata: Metadata = {
  title: { default: 'Saved', template: '%s · Saved' },
  description: 'The media of your Telegram Saved Messages',
}

export const viewport: Viewport = {
  themeColor: [
    { media: '(prefers-color-scheme: light)', color: '#ffffff' },
    { media: '(prefers-color-scheme: dark)', color: '#101317' },
  ],
}

export default function Layout({ children }: { children: ReactNode }) {
  return (
    <html lang="en">
      <body>
        <Notices>{children}</Notices>
      </body>
    </html>
  )
}
