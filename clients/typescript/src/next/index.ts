/** Next.js 15 and 16: its configuration, pictures, server components and middleware (16: proxy). */

export { imageLoader, imageProps } from './image.js'
export { withTgbridge, type TgbridgeConfig } from './config.js'
export { protect, tgServer, type ProtectOptions } from './server.js'
