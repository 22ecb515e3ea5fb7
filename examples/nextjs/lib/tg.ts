'use client'

import { createClient } from '@tgbridge/client'

/** The service, as this page reaches it: behind the rewrite, or at another origin. */
export const tg = createClient({
  baseUrl: process.env.NEXT_PUBLIC_TGBRIDGE_URL ?? '/tg',
  onSessionEnded: () => dispatchEvent(new Event('session-ended')),
})

/** What a person is told of a failure. */
export function explain(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
