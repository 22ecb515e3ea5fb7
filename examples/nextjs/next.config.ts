import { withTgbridge } from '@tgbridge/client/next'

export default withTgbridge({ reactStrictMode: true, turbopack: { root: import.meta.dirname } })
