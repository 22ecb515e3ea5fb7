import { protect } from '@tgbridge/client/next'

export const proxy = protect({ signIn: '/sign-in' })

export const config = { matcher: ['/', '/devices', '/sign-in'] }
