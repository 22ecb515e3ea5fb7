import type { NextRequest } from 'next/server'

import { type Client, createClient } from '../index.js'
import type { Schemas } from '../schemas.js'
import { serviceUrl } from './config.js'

/** What the service goes by: the session, and, if it trusts this server, whose request it is. */
function asked(headers: Pick<Headers, 'get'>): Record<string, string> {
  const names = ['cookie', 'x-forwarded-for']
  return Object.fromEntries(names.flatMap((name) => headers.get(name) ? [[name, headers.get(name)!]] : []))
}

const PATIENCE_MILLISECONDS = 5000

/**
 * A client for server components, route handlers and server actions: it asks in the name of the browser.
 *
 * The cookie goes on as it came, whatever its name is. What the service sets in return does not reach the
 * browser, whose own requests renew its cookie.
 */
export function tgServer(service = serviceUrl()): Client {
  return createClient({
    baseUrl: service,
    async headers() {
      const [{ connection }, { headers }] = await Promise.all([import('next/server'), import('next/headers')])
      // With `cacheComponents` fetch belongs to the request: else `next dev` complains of a `Date.now()` inside of it.
      await connection()
      return asked(await headers())
    },
  })
}

export interface ProtectOptions {
  /** Where people sign in; they are sent back to the page that they wanted by its `next`. */
  signIn?: string
  service?: string
}

/**
 * Middleware (in Next 16: proxy) that lets only those through who are signed in.
 *
 * It asks the service what the cookie tells, which asks nobody at Telegram, and hands on what the service sets.
 * Where the service cannot be reached pages are let through, and say so themselves.
 */
export function protect({ signIn = '/sign-in', service = serviceUrl() }: ProtectOptions = {}) {
  return async (request: NextRequest): Promise<Response> => {
    const { NextResponse } = await import('next/server')
    const answer = await fetch(`${service}/session`, {
      headers: asked(request.headers),
      cache: 'no-store',
      signal: AbortSignal.timeout(PATIENCE_MILLISECONDS),
    }).catch(() => null)
    let response = NextResponse.next()
    if (answer?.ok) {
      const { state } = (await answer.json()) as Schemas['CookieSession']
      if (state !== 'signed_in' && request.nextUrl.pathname !== signIn) {
        const url = new URL(signIn, request.url)
        url.searchParams.set('next', request.nextUrl.pathname + request.nextUrl.search)
        response = NextResponse.redirect(url)
      }
      for (const set of answer.headers.getSetCookie()) response.headers.append('Set-Cookie', set)
    }
    return response
  }
}
