import type { components } from './generated.js'

/** The service's JSON bodies, generated from its /openapi.json. */
export type Schemas = components['schemas']
export type MediaItem = Schemas['MediaItem']
export type MediaType = MediaItem['type']
export type User = Schemas['User']
