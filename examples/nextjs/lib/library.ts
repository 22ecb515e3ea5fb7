import type { Client, LibraryEvent, MediaItem, MediaType } from '@tgbridge/client'

/** What is looked at: types with a timeline of their own, or what a search has found. */
export interface View {
  types: readonly MediaType[]
  search: string
}

/** One day: how many items it has is known before they are. */
interface Day {
  date: string
  count: number
  /** What a page that begins here is asked with. */
  before: number
  /** Those that are known, newest first; all of them once there are `count`. */
  items: MediaItem[]
}

export interface Month {
  /** Such as 2026-11. */
  key: string
  /** The place of its first item among all. */
  start: number
  count: number
}

const PAGE = 200

/**
 * A library as a grid needs it: how many items there are and of when, at once; each item when it is looked at.
 *
 * A store for React's useSyncExternalStore: `version` grows with each change.
 */
export class Library {
  version = 0
  total: number | undefined
  error: unknown
  readonly #client: Client
  readonly #view: View
  readonly #listeners = new Set<() => void>()
  #ended = new AbortController()
  readonly #asked = new Set<string>()
  #days: Day[] = []

  constructor(client: Client, view: View) {
    this.#client = client
    this.#view = view
  }

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  getVersion = (): number => this.version

  /** Load how much there is, then hear of changes. Returns what ends it. */
  open(): () => void {
    this.#reload()
    return () => this.#ended.abort()
  }

  get months(): Month[] {
    const months: Month[] = []
    let start = 0
    for (const day of this.#days) {
      const key = day.date.slice(0, 7)
      const last = months.at(-1)
      if (last?.key === key) last.count += day.count
      else months.push({ key, start, count: day.count })
      start += day.count
    }
    return months
  }

  /** The item at a place, newest first, if it is known. */
  at(place: number): MediaItem | undefined {
    for (const day of this.#days) {
      if (place < day.count) return day.items[place]
      place -= day.count
    }
    return undefined
  }

  /** The place of an item that is known. */
  placeOf(id: number): number | undefined {
    let start = 0
    for (const day of this.#days) {
      const place = day.items.findIndex((item) => item.id === id)
      if (place >= 0) return start + place
      start += day.count
    }
    return undefined
  }

  /** Have the items of these places loaded: from `first` up to, not including, `last`. */
  want(first: number, last: number): void {
    let start = 0
    for (const [index, day] of this.#days.entries()) {
      const end = start + day.count
      if (end > first && start < last && day.items.length < day.count) {
        // A day of thousands is asked for page by page, as far as it is looked at.
        if (start + day.items.length < last) this.#load(index)
        return
      }
      start = end
    }
  }

  /** Show that they are gone, before Telegram is told; `restore` takes it back. */
  hide(ids: readonly number[]): () => void {
    const hidden = ids.flatMap((id) => this.#remove(id))
    this.#changed()
    return () => {
      hidden.forEach((item) => this.#add(item))
      this.#changed()
    }
  }

  replace(item: MediaItem): void {
    for (const day of this.#days) {
      const place = day.items.findIndex(({ id }) => id === item.id)
      if (place >= 0) day.items[place] = item
    }
    this.#changed()
  }

  #reload(): void {
    this.#ended.abort()
    this.#ended = new AbortController()
    const { signal } = this.#ended
    this.#asked.clear()
    this.#read(signal).catch((error: unknown) => this.#fail(error, signal))
  }

  async #read(signal: AbortSignal): Promise<void> {
    const { types, search } = this.#view
    const first = await this.#client.media.list({ type: types, limit: search ? PAGE : 60, ...(search && { q: search }) }, signal)
    if (search) {
      this.#days = []
      first.items.forEach((item) => this.#add(item))
    } else {
      const timeline = await this.#client.media.timeline(types, signal)
      this.#days = timeline.map((day) => ({ ...day, items: [] }))
      this.#fill(first.items)
    }
    this.total = this.#count()
    this.error = undefined
    this.#changed()
    this.#client.events.subscribe((event) => this.#hear(event), { since: first.last_event_id, signal })
    for (let next = search ? first.next : null; next !== null; ) {
      const page = await this.#client.media.page(next, signal)
      page.items.forEach((item) => this.#add(item))
      this.#changed()
      next = page.next
    }
  }

  #load(index: number): void {
    const day = this.#days[index]!
    const key = `${day.date}/${day.items.length}`
    if (this.#asked.has(key)) return
    this.#asked.add(key)
    const before = day.items.at(-1)?.id ?? day.before
    const { signal } = this.#ended
    this.#client.media
      .list({ type: this.#view.types, before, limit: PAGE }, signal)
      .then((page) => {
        this.#fill(page.items)
        // The page goes beyond the day: whatever was counted, there is no more of it than this.
        if (page.next === null || (page.items.at(-1)?.timestamp ?? '') < day.date) day.count = day.items.length
        this.#changed()
      })
      .catch((error: unknown) => {
        this.#asked.delete(key)
        this.#fail(error, signal)
      })
  }

  /** Put items of days that are counted into their places. */
  #fill(items: readonly MediaItem[]): void {
    const days = new Map(this.#days.map((day) => [day.date, day]))
    for (const item of items) {
      const day = days.get(item.timestamp.slice(0, 10))
      if (day && !day.items.some(({ id }) => id === item.id)) {
        day.items.push(item)
        day.count = Math.max(day.count, day.items.length)
      }
    }
  }

  #hear(event: LibraryEvent): void {
    switch (event.type) {
      case 'media_added':
        if (this.#view.search || !this.#view.types.includes(event.item.type)) return
        if (this.placeOf(event.item.id) !== undefined) return
        this.#add(event.item)
        break
      case 'media_edited':
        this.replace(event.item)
        return
      case 'media_deleted':
        event.ids.forEach((id) => this.#remove(id))
        break
      case 'reload':
        this.#reload()
        return
      default:
        return
    }
    this.#changed()
  }

  #add(item: MediaItem): void {
    const date = item.timestamp.slice(0, 10)
    let day = this.#days.find((one) => one.date === date)
    if (!day) {
      day = { date, count: 0, before: item.id + 1, items: [] }
      this.#days.push(day)
      this.#days.sort((one, other) => other.date.localeCompare(one.date))
    }
    const place = day.items.findIndex(({ id }) => id <= item.id)
    if (day.items[place]?.id === item.id) return
    day.items.splice(place < 0 ? day.items.length : place, 0, item)
    day.count += 1
  }

  #remove(id: number): MediaItem[] {
    for (const day of this.#days) {
      const place = day.items.findIndex((item) => item.id === id)
      if (place < 0) continue
      day.count -= 1
      const removed = day.items.splice(place, 1)
      if (day.count === 0) this.#days = this.#days.filter((one) => one !== day)
      return removed
    }
    return []
  }

  #count(): number {
    return this.#days.reduce((sum, { count }) => sum + count, 0)
  }

  #fail(error: unknown, signal: AbortSignal): void {
    if (signal.aborted) return
    this.error = error
    this.#changed()
  }

  #changed(): void {
    if (this.total !== undefined) this.total = this.#count()
    this.version += 1
    for (const listener of this.#listeners) listener()
  }
}
