import { tgServer } from '@tgbridge/client/next'

import { Gallery } from '@/components/gallery'

/** Middleware has let nobody in who is not signed in. Whether Telegram still knows the session shows here. */
export default async function Page() {
  const user = await tgServer().me().catch(() => null)
  return <Gallery name={user?.first_name ?? user?.username ?? 'you'} />
}
