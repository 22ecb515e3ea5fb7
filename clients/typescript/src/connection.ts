import { TgbridgeError, errorFrom } from './errors.js'

export interface ConnectionOptions {
  /**
   * Where the service is: '' (the default) at the page's own root, '/tg' behind a rewrite, or an absolute URL.
   */
  baseUrl?: string
  /** Sent with each request: on a server, the browser's cookie. */
  headers?: () => Record<string, string> | Promise<Record<string, string>>
  fetch?: typeof fetch
  /** Called whenever it shows that nobody is signed in any more, with the reason as its code; but not after `logOut`. */
  onSessionEnded?: (error: TgbridgeError) => void
}

export interface RequestOptions {
  json?: unknown
  body?: BodyInit
  query?: Record<string, string | number | boolean | undefined>
  headers?: Record<string, string>
  signal?: AbortSignal | undefined
}

/** Requests to one service: where it is, who asks, and how its errors are told. */
export class Connection {
  readonly #base: string
  readonly #options: ConnectionOptions
  /** Whether this page has ended the session itself, which then surprises nobody. */
  hasLoggedOut = false

  constructor(options: ConnectionOptions = {}) {
    this.#base = (options.baseUrl ?? '').replace(/\/+$/, '')
    this.#options = options
  }

  /** The URL of a reference that the service gave (`stream_media/33?v=…`), or of a path. */
  url(reference: string, query: RequestOptions['query'] = {}): string {
    const asked = Object.entries(query).filter(([, value]) => value !== undefined)
    const search = new URLSearchParams(asked.map(([name, value]) => [name, String(value)])).toString()
    const joined = `${this.#base}/${reference.replace(/^\/+/, '')}`
    return search ? `${joined}${joined.includes('?') ? '&' : '?'}${search}` : joined
  }

  /** The same, absolute. */
  absolute(reference: string): string {
    return new URL(this.url(reference), globalThis.location?.href).href
  }

  /** Send a request; an answer that is no success is thrown as a TgbridgeError. */
  async send(method: string, path: string, options: RequestOptions = {}): Promise<Response> {
    const { json, body, query, headers, signal } = options
    const init: RequestInit = {
      method,
      credentials: 'include',
      headers: {
        ...(await this.#options.headers?.()),
        ...(json === undefined ? {} : { 'Content-Type': 'application/json' }),
        ...headers,
      },
      signal: signal ?? null,
      cache: 'no-cache', // asked for anew, with the tag of what is there
    }
    const sent = json === undefined ? body : JSON.stringify(json)
    if (sent !== undefined) init.body = sent
    let answer: Response
    try {
      answer = await (this.#options.fetch ?? fetch)(this.url(path, query), init)
    } catch (cause) {
      signal?.throwIfAborted()
      throw new TgbridgeError('The service cannot be reached.', { cause })
    }
    if (!answer.ok) throw await this.#failure(answer)
    return answer
  }

  /** Send a request, and read the answer's JSON. */
  async json<T>(method: string, path: string, options: RequestOptions = {}): Promise<T> {
    const answer = await this.send(method, path, options)
    try {
      return (await answer.json()) as T
    } catch (cause) {
      options.signal?.throwIfAborted()
      throw new TgbridgeError('The answer did not arrive whole.', { cause })
    }
  }

  /** Tell the page, if it is so, that nobody is signed in any more. Returns the error. */
  noticed(error: TgbridgeError): TgbridgeError {
    if (error.isSessionEnded && !this.hasLoggedOut) this.#options.onSessionEnded?.(error)
    return error
  }

  async #failure(answer: Response): Promise<TgbridgeError> {
    const text = await answer.text().catch(() => '')
    return this.noticed(errorFrom(answer.status, text, (name) => answer.headers.get(name)))
  }
}
