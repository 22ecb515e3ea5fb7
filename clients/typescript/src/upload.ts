import type { DetailedError, Upload as TusUpload, HttpResponse } from 'tus-js-client'

import type { Connection } from './connection.js'
import { TgbridgeError, errorFrom } from './errors.js'
import type { Events } from './events.js'
import type { MediaItem, Schemas } from './schemas.js'
import { Backoff } from './waiting.js'

export interface UploadOptions {
  caption?: string
  /** `document` leaves the bytes untouched; `auto` (the default) sends them as Telegram's own apps would. */
  as?: 'auto' | 'document'
  /** A poster: a JPEG of at most 200 KB and 320 pixels. */
  thumbnail?: Blob
  /** What the file does not say of itself: pixels and seconds. */
  width?: number
  height?: number
  duration?: number
  signal?: AbortSignal
  onProgress?: (progress: UploadProgress) => void
  /** Bytes of one request. The default passes through a rewrite of Next.js, which ends at 10 MB. */
  chunkSize?: number
}

export interface UploadProgress {
  /** Bytes that the browser has sent. */
  sent: number
  /** Bytes that Telegram has. */
  stored: number
  total: number
  /** Telegram takes nothing for so many seconds; it goes on by itself. */
  waiting?: number
}

/** An upload under way. `await upload.done` for the item that it becomes. */
export interface UploadTask {
  readonly done: Promise<MediaItem>
  pause(): void
  resume(): void
  /** Give it up, here and at the service. `done` rejects with an AbortError. */
  abort(): void
}

const CHUNK_BYTES = 8 * 1024 * 1024
const ATTEMPTS = 8 // in a row without a byte more

/**
 * Uploads that go on where they were: after a lost line, while offline, and after the page was loaded anew, if
 * the same file is given again. However often one is sent, it becomes one message.
 */
export class Uploads {
  readonly #connection: Connection
  readonly #events: Events
  readonly #running = new Map<string, UploadTask>()

  constructor(connection: Connection, events: Events) {
    this.#connection = connection
    this.#events = events
  }

  /** Begin, or find the upload of the same file (name, size, date) that is under way. */
  start(file: File, options: UploadOptions = {}): UploadTask {
    // Whoever chooses a file twice has two objects of it.
    const key = JSON.stringify([file.name, file.type, file.size, file.lastModified])
    const running = this.#running.get(key)
    if (running) return running
    const task = new Task(this.#connection, this.#events, file, options)
    this.#running.set(key, task)
    const over = () => this.#running.delete(key)
    task.done.then(over, over)
    return task
  }
}

class Task implements UploadTask {
  readonly done: Promise<MediaItem>
  readonly #connection: Connection
  readonly #file: File
  readonly #options: UploadOptions
  readonly #progress: UploadProgress
  readonly #ended = new AbortController()
  readonly #backoff = new Backoff()
  #attempts = 0
  #tus: TusUpload | undefined
  #paused = false
  #poster: Promise<unknown> | undefined

  constructor(connection: Connection, events: Events, file: File, options: UploadOptions) {
    this.#connection = connection
    this.#file = file
    this.#options = options
    this.#progress = { sent: 0, stored: 0, total: file.size }
    const end = options.onProgress && events.subscribe((event) => this.#hear(event))
    const { promise, resolve, reject } = withResolvers<number>()
    options.signal?.addEventListener('abort', () => this.abort(), { once: true })
    this.#ended.signal.addEventListener('abort', () => reject(this.#ended.signal.reason), { once: true })
    this.done = promise
      .then((id) => connection.json<MediaItem>('GET', `media/${id}`))
      .finally(() => end?.())
    if (options.signal?.aborted) this.abort()
    else this.#begin(resolve, reject).catch(reject)
  }

  pause(): void {
    this.#paused = true
    void this.#tus?.abort()
  }

  resume(): void {
    if (!this.#paused) return
    this.#paused = false
    this.#tus?.start()
  }

  abort(): void {
    if (this.#ended.signal.aborted) return
    this.#ended.abort(this.#options.signal?.reason)
    void this.#tus?.abort(true).catch(() => {}) // unreachable: it expires by itself
  }

  async #begin(resolve: (id: number) => void, reject: (error: unknown) => void): Promise<void> {
    const { Upload } = await import('tus-js-client')
    const { caption = '', as = 'auto', width, height, duration, chunkSize = CHUNK_BYTES } = this.#options
    const hints = Object.entries({ width, height, duration }).filter(([, value]) => value !== undefined)
    const tus = (this.#tus = new Upload(this.#file, {
      endpoint: this.#connection.absolute('uploads'),
      chunkSize,
      retryDelays: null, // what may be tried again, and when, is known here
      removeFingerprintOnSuccess: true,
      metadata: {
        filename: this.#file.name,
        filetype: this.#file.type,
        caption,
        as,
        ...Object.fromEntries(hints.map(([name, value]) => [name, String(value)])),
      },
      onBeforeRequest: async (request) => {
        const underlying: unknown = request.getUnderlyingObject()
        if (underlying instanceof XMLHttpRequest) underlying.withCredentials = true
        // Before the last byte, with which the message is made.
        if (request.getMethod() === 'PATCH') await this.#sendPoster(tus.url)
      },
      onProgress: (sent) => {
        if (sent > this.#progress.sent) this.#attempts = 0
        this.#tell({ sent })
      },
      onSuccess: ({ lastResponse }) => resolve(Number(lastResponse.getHeader('X-Message-Id'))),
      onError: (error) => void this.#failed(error).catch(reject),
    }))
    const [earlier] = await tus.findPreviousUploads()
    if (earlier) tus.resumeFromPreviousUpload(earlier)
    if (!this.#paused && !this.#ended.signal.aborted) tus.start()
  }

  /** Try again where that makes sense, when it does; else throw what the page is told. */
  async #failed(error: Error | DetailedError): Promise<void> {
    const response = 'originalResponse' in error ? error.originalResponse : null
    const failure = response ? refusal(response) : error instanceof TgbridgeError ? error : new TgbridgeError('The connection was lost.', { cause: error })
    if (response && failure.isSessionEnded) this.#connection.noticed(failure)
    const isBusy = failure.status === 423 || failure.status === 409 // by its own request that was cut: it ends soon
    if (!(failure.isTemporary || isBusy) || ++this.#attempts > ATTEMPTS) throw failure
    await this.#backoff.wait(this.#ended.signal, failure.retryAfter)
    if (!this.#paused) this.#tus!.start()
  }

  #sendPoster(url: string | null): Promise<unknown> | undefined {
    const { thumbnail } = this.#options
    if (!thumbnail || !url) return undefined
    this.#poster ??= this.#connection.send('PUT', `uploads/${lastPart(url)}/thumbnail`, {
      body: thumbnail,
      headers: { 'Content-Type': 'image/jpeg' },
    }).catch((error: unknown) => {
      this.#poster = undefined
      throw error
    })
    return this.#poster
  }

  #hear(event: Parameters<Parameters<Events['subscribe']>[0]>[0]): void {
    if (event.type !== 'upload' || !this.#tus?.url || event.upload.id !== lastPart(this.#tus.url)) return
    const { data } = event.upload
    if ('stored' in data) this.#tell({ stored: data.stored })
    else if (event.upload.event === 'waiting') this.#tell({ waiting: (data as Schemas['UploadWaiting']).retry_after })
  }

  #tell(news: Partial<UploadProgress>): void {
    delete this.#progress.waiting
    Object.assign(this.#progress, news)
    this.#options.onProgress?.({ ...this.#progress })
  }
}

function refusal(response: HttpResponse): TgbridgeError {
  return errorFrom(response.getStatus(), response.getBody(), (name) => response.getHeader(name))
}

function lastPart(url: string): string {
  return new URL(url).pathname.split('/').at(-1)!
}

function withResolvers<T>() {
  let resolve!: (value: T) => void
  let reject!: (reason: unknown) => void
  const promise = new Promise<T>((...both) => ([resolve, reject] = both))
  return { promise, resolve, reject }
}
