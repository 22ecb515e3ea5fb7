import type { Connection } from './connection.js'
import { TgbridgeError } from './errors.js'
import { readEvents } from './event-stream.js'
import type { MediaItem, Schemas } from './schemas.js'
import { Backoff } from './waiting.js'

/** What has happened to Saved Messages, on any of the person's devices; and to this session's own uploads. */
export type LibraryEvent =
  | { readonly type: 'media_added' | 'media_edited'; readonly item: MediaItem }
  | { readonly type: 'media_deleted'; readonly ids: readonly number[] }
  | { readonly type: 'upload'; readonly upload: Schemas['UploadNews'] }
  /** What was missed can't be told any more: load the list again. */
  | { readonly type: 'reload' }
  /** The last one: nobody is signed in any more. */
  | { readonly type: 'session_ended'; readonly code: string }

type Listener = (event: LibraryEvent) => void

export interface EventsOptions {
  /** From a page (`last_event_id`): nothing is missed between the page and the stream. */
  since?: string | undefined
  signal?: AbortSignal
}

/**
 * One stream for all listeners of a page, open as long as there is one.
 *
 * It connects again by itself, and has what was missed sent first. The same event may come twice; each says how things are, so that this
 * does no harm.
 */
export class Events {
  readonly #connection: Connection
  readonly #listeners = new Set<Listener>()
  #lastId: string | undefined
  #running: AbortController | undefined

  constructor(connection: Connection) {
    this.#connection = connection
  }

  /** Call `listener` with each event, until the returned function is called. */
  subscribe(listener: Listener, { since, signal }: EventsOptions = {}): () => void {
    const end = () => {
      if (this.#listeners.delete(listener) && this.#listeners.size === 0) this.#stop()
    }
    if (signal?.aborted) return end
    this.#listeners.add(listener)
    signal?.addEventListener('abort', end, { once: true })
    // A stream that is ahead of this page has to go back to it.
    if (since !== undefined) {
      this.#stop()
      this.#lastId = since
    }
    if (!this.#running) void this.#run((this.#running = new AbortController()).signal)
    return end
  }

  /** The same as an async iterator; leaving its loop ends it. */
  async *listen(options: EventsOptions = {}): AsyncGenerator<LibraryEvent, void> {
    const queue: LibraryEvent[] = []
    let wake = () => {}
    const woken = () => wake()
    const end = this.subscribe((event) => {
      queue.push(event)
      wake()
    }, options)
    options.signal?.addEventListener('abort', woken, { once: true })
    try {
      for (;;) {
        while (queue.length) {
          const event = queue.shift()!
          yield event
          if (event.type === 'session_ended') return
        }
        if (options.signal?.aborted) return
        await new Promise<void>((resolve) => (wake = resolve))
      }
    } finally {
      options.signal?.removeEventListener('abort', woken)
      end()
    }
  }

  #stop(): void {
    this.#running?.abort()
    this.#running = undefined
    this.#lastId = undefined
  }

  #tell(event: LibraryEvent): void {
    for (const listener of [...this.#listeners]) {
      try {
        listener(event)
      } catch (error) {
        // As of an EventTarget: told to the page, and none of the stream's or the other listeners' business.
        queueMicrotask(() => {
          throw error
        })
      }
    }
  }

  async #run(signal: AbortSignal): Promise<void> {
    const backoff = new Backoff()
    let retry = 0
    const onRetry = (milliseconds: number) => (retry = milliseconds / 1000)
    while (!signal.aborted) {
      try {
        // The header is for browsers that connect again by themselves; a page of another origin would need leave to send it.
        const answer = await this.#connection.send('GET', 'events', { query: { last_event_id: this.#lastId }, signal })
        for await (const { event, data, id } of readEvents(answer, { signal, onRetry })) {
          if (signal.aborted) return
          backoff.reset()
          if (id) this.#lastId = id
          const told = read(event, JSON.parse(data))
          if (!told) continue
          if (told.type === 'session_ended') {
            this.#connection.noticed(new TgbridgeError('The session has ended.', { status: 401, code: told.code }))
          }
          this.#tell(told)
          if (told.type === 'session_ended') return this.#stop()
        }
      } catch (error) {
        if (signal.aborted) return
        if (error instanceof TgbridgeError && error.isSessionEnded) {
          this.#tell({ type: 'session_ended', code: error.code })
          return this.#stop()
        }
        retry = error instanceof TgbridgeError ? (error.retryAfter ?? 0) : 0
      }
      await backoff.wait(signal, retry).catch(() => {})
      retry = 0
    }
  }
}

function read(event: string, data: any): LibraryEvent | undefined {
  switch (event) {
    case 'media_added':
    case 'media_edited':
      return { type: event, item: data }
    case 'media_deleted':
      return { type: event, ids: data.ids }
    case 'upload':
      return { type: event, upload: data }
    case 'reload':
      return { type: event }
    case 'session_ended':
      return { type: event, code: data.code }
    default:
      return undefined // of a later version
  }
}
