import type { Connection, RequestOptions } from './connection.js'
import type { MediaItem, MediaType, Schemas } from './schemas.js'

export interface MediaQuery {
  /** Of a page: 1 to 200, 50 by default. */
  limit?: number
  /** Only items older than this id. */
  before?: number
  type?: MediaType | readonly MediaType[]
  /** Words of the caption, or of the name. */
  q?: string
  /** Days (`2026-11-28`, in UTC, the whole of them) or moments. */
  since?: string | Date
  until?: string | Date
  album?: string
  /** Without `blur_data_url`, which makes up most of a page. */
  blur?: false
}

export type MediaPage = Schemas['MediaPage']
export type MediaCounts = Schemas['MediaCounts']
export type TimelineDay = Schemas['MediaDay']
export type Removed = Schemas['MediaRemoved']
export type Ticket = Schemas['Ticket']

/** How large a thumbnail should be: by name, or at least so many pixels wide. */
export type ThumbnailFit = { size?: 'small' | 'medium' | 'large' } | { width: number }

type Identified = Pick<MediaItem, 'id'> | number
type Streamable = Pick<MediaItem, 'url'>
type Thumbnailed = Pick<MediaItem, 'thumbnail_url'>

/** Saved Messages, as far as they hold media. */
export class Media {
  readonly #connection: Connection

  constructor(connection: Connection) {
    this.#connection = connection
  }

  /** One page, newest first. `next` is null at the end; else `page(next)` has what follows. */
  list(query: MediaQuery = {}, signal?: AbortSignal): Promise<MediaPage> {
    return this.#connection.json('GET', 'media', { query: asked(query), signal })
  }

  /** The page that another one named as its `next`. */
  page(next: string, signal?: AbortSignal): Promise<MediaPage> {
    return this.#connection.json('GET', next, { signal })
  }

  /** All pages, one after the other, each asked for when the one before it has been used. */
  async *pages(query: MediaQuery = {}, signal?: AbortSignal): AsyncGenerator<MediaPage, void> {
    let page = await this.list(query, signal)
    for (;;) {
      yield page
      if (page.next === null) return
      page = await this.page(page.next, signal)
    }
  }

  /** All items, newest first. */
  async *all(query: MediaQuery = {}, signal?: AbortSignal): AsyncGenerator<MediaItem, void> {
    for await (const page of this.pages({ limit: 200, ...query }, signal)) yield* page.items
  }

  get(item: Identified, signal?: AbortSignal): Promise<MediaItem> {
    return this.#connection.json('GET', path(item), { signal })
  }

  /** Give it another caption; `''` removes it. Returns the item as it is then. */
  edit(item: Identified, caption: string): Promise<MediaItem> {
    return this.#connection.json('PATCH', path(item), { json: { caption } })
  }

  /** Delete messages; what was gone already is in `missing`. */
  async delete(...items: Identified[]): Promise<Removed> {
    const all: Removed = { deleted: [], missing: [] }
    for (let start = 0; start < items.length; start += 1000) {
      const ids = items.slice(start, start + 1000).map(id)
      const { deleted, missing } = await this.#connection.json<Removed>('POST', 'media/delete', { json: { ids } })
      all.deleted.push(...deleted)
      all.missing.push(...missing)
    }
    return all
  }

  /** How many there are of each type that Telegram counts. */
  counts(signal?: AbortSignal): Promise<MediaCounts> {
    return this.#connection.json('GET', 'media/counts', { signal })
  }

  /** The days that have any, newest first; `before` is what a page that begins there is asked with. */
  timeline(type?: MediaQuery['type'], signal?: AbortSignal): Promise<TimelineDay[]> {
    return this.#connection.json('GET', 'media/timeline', { query: asked(type ? { type } : {}), signal })
  }

  /** Where its bytes are: for `src`, or with `download` for a link that saves them. */
  url(item: Streamable, { download = false } = {}): string {
    return this.#connection.url(item.url, { download: download ? 1 : undefined })
  }

  /** Where its thumbnail is, or null if it has none. */
  thumbnail(item: Thumbnailed, fit: ThumbnailFit = {}): string | null {
    if (item.thumbnail_url == null) return null
    return this.#connection.url(item.thumbnail_url, 'width' in fit ? { w: fit.width } : { size: fit.size })
  }

  /** A link to one item that works without a login, for `expiresIn` seconds. Its URLs are absolute. */
  async ticket(item: Identified, { expiresIn, download }: { expiresIn?: number; download?: boolean } = {}): Promise<Ticket> {
    const json = { expires_in: expiresIn, download }
    const ticket = await this.#connection.json<Ticket>('POST', `${path(item)}/ticket`, { json })
    return {
      ...ticket,
      url: this.#connection.absolute(ticket.url),
      thumbnail_url: ticket.thumbnail_url && this.#connection.absolute(ticket.thumbnail_url),
    }
  }
}

function id(item: Identified): number {
  return typeof item === 'number' ? item : item.id
}

function path(item: Identified): string {
  return `media/${id(item)}`
}

function asked({ type, since, until, blur, ...others }: MediaQuery): NonNullable<RequestOptions['query']> {
  return {
    ...others,
    type: typeof type === 'string' ? type : type?.join(','),
    since: since instanceof Date ? since.toISOString() : since,
    until: until instanceof Date ? until.toISOString() : until,
    blur: blur === false ? 0 : undefined,
  }
}
