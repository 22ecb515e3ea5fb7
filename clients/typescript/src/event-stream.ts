import { TgbridgeError } from './errors.js'

/** One server-sent event. `id` is the last one that the stream has given so far. */
export interface ServerSentEvent {
  event: string
  data: string
  id: string
}

/**
 * Read the events of an answer, as https://html.spec.whatwg.org/multipage/server-sent-events.html has them.
 *
 * By fetch, and not by EventSource, which hides status, code and headers. A line that is cut throws a
 * TgbridgeError (NETWORK_ERROR); a stream that ends returns. `onRetry` is told the milliseconds that the service asks for.
 */
export async function* readEvents(
  answer: Response,
  onRetry: (milliseconds: number) => void = () => {},
): AsyncGenerator<ServerSentEvent, void> {
  const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader()
  let text = ''
  let [event, data, id] = ['', '', '']
  try {
    for (;;) {
      const { done, value } = await reader.read().catch((cause: unknown) => {
        throw cause instanceof DOMException && cause.name === 'AbortError'
          ? cause
          : new TgbridgeError('The connection was lost.', { cause })
      })
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
        else if (field === 'retry' && /^\d+$/.test(content)) onRetry(Number(content))
      }
    }
  } finally {
    await reader.cancel().catch(() => {})
  }
}
