import type { NextConfig } from 'next'

export interface TgbridgeConfig {
  /** Where the service is, as Next.js reaches it: TGBRIDGE_URL, or http://127.0.0.1:8080. */
  service?: string
  /** What its paths begin with in the browser. */
  prefix?: string
  /** Whether all of next/image goes by `imageLoader`; else give it as `loader` where it is needed. */
  images?: boolean
}

type Rewrites = Awaited<ReturnType<NonNullable<NextConfig['rewrites']>>>

/** Next's configuration with a rewrite to the service, and pictures that the browser itself fetches. */
export function withTgbridge(
  config: NextConfig = {},
  { service = serviceUrl(), prefix = '/tg', images = true }: TgbridgeConfig = {},
): NextConfig {
  const slash = config.trailingSlash ? '/' : '' // or a new upload's Location is taken for one below itself
  const ours = { source: `${prefix}/:path*`, destination: `${service}/:path*${slash}` }
  return {
    ...config,
    async rewrites(): Promise<Rewrites> {
      const theirs = (await config.rewrites?.()) ?? []
      return Array.isArray(theirs)
        ? [ours, ...theirs]
        : { ...theirs, beforeFiles: [ours, ...(theirs.beforeFiles ?? [])] }
    },
    ...(images && { images: { ...config.images, loader: 'custom', loaderFile: loaderFile() } }),
  }
}

/** Where the service is, for the code that runs on the server. */
export function serviceUrl(): string {
  return (process.env['TGBRIDGE_URL'] ?? 'http://127.0.0.1:8080').replace(/\/+$/, '')
}

/** Next takes a path from the project's root, which is where it runs; in a monorepo it leads out of that. */
function loaderFile(): string {
  const parts = (path: string) => path.replaceAll('\\', '/').split('/').filter(Boolean)
  const from = parts(process.cwd())
  const to = parts(decodeURIComponent(new URL('./loader.js', import.meta.url).pathname))
  const shared = [...from, undefined].findIndex((part, index) => part !== to[index])
  return `/${'../'.repeat(from.length - shared)}${to.slice(shared).join('/')}`
}
