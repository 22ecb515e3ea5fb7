import { TgbridgeError } from './errors.js'
import { sleep } from './waiting.js'

/** One server-sent event. `id` is the last one that the stream has given so far. */
export interface ServerSentEvent {
  event: string
  data: string
  id: string
}

export interface ReadOptions {
  /** The signal that the answer was asked for with: what it throws is thrown on. */
  signal?: AbortSignal | undefined
  /** Told the milliseconds that the service wants to pass before the next connection. */
  onRetry?: (milliseconds: number) => void
  /** A line that is silent for so many seconds is taken for cut: the service sends a heartbeat every 15. */
  silence?: number
}

/**
 * Read the events of an answer, as https://html.spec.whatwg.org/multipage/server-sent-events.html has them.
 *
 * By fetch, and not by EventSource, which hides status, code and headers. A line that is cut throws a
 * TgbridgeError (NETWORK_ERROR); a stream that ends returns.
 */
export async function* readEvents(
  answer: Response,
  { signal, onRetry, silence = 60 }: ReadOptions = {},
): AsyncGenerator<ServerSentEvent, void> {
  if (!answer.body) return
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader()
  let text = ''
  let [event, data, id] = ['', '', '']
  try {
    for (;;) {
      const read = new AbortController()
      const { done, value } = await Promise.race([
        reader.read(),
        sleep(silence, read.signal).then(() => Promise.reject(new Error(`Silent for ${silence} s.`))),
      ])
        .catch((cause: unknown) => {
          signal?.throwIfAborted()
          throw new TgbridgeError('The connection was lost.', { cause })
        })
        .finally(() => read.abort())
      if (done) return
      text += value
      const lines = text.split(/\r\n|\n|\r(?!$)/) // a \r at the end may be half of \r\n
      text = lines.pop()!
      for (const line of lines) {
        if (line === '') {
          if (data) yield { event: event || 'message', data: data.slice(0, -1), id }
          event = data = ''
          continue
        }
        const colon = line.indexOf(':')
        const field = colon < 0 ? line : line.slice(0, colon)
        const content = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '')
        if (field === 'event') event = content
        else if (field === 'data') data += `${content}\n`
        else if (field === 'id') id = content
        else if (field === 'retry' && /^\d+$/.test(content)) onRetry?.(Number(content))
      }
    }
  } finally {
    // Not awaited: a line that is dead may take its time.
    void reader.cancel().catch(() => {})
  }
}
