import type { Schemas } from './schemas.js'

/** What programs switch on: the service's codes, and one for answers that never came. */
export type ErrorCode = Schemas['ErrorCode'] | 'NETWORK_ERROR' | (string & {})

/**
 * Everything that goes wrong, but for aborts, which are the platform's `AbortError`.
 *
 * `message` is a sentence for the person at the screen; `code` is for programs.
 */
export class TgbridgeError extends Error {
  override readonly name = 'TgbridgeError'
  /** The HTTP status; 0 where no answer came. */
  readonly status: number
  readonly code: ErrorCode
  /** Seconds to wait before the same makes sense again. */
  readonly retryAfter: number | undefined
  /** What the service's log calls the request. */
  readonly requestId: string | undefined
  /** For debugging, such as the name of Telegram's error. */
  readonly details: string | undefined
  /** The hint that belongs to SESSION_PASSWORD_NEEDED. */
  readonly passwordHint: string | null

  constructor(
    message: string,
    { status = 0, code = 'NETWORK_ERROR', retryAfter, requestId, details, passwordHint = null, cause }: Partial<
      Pick<TgbridgeError, 'status' | 'code' | 'retryAfter' | 'requestId' | 'details' | 'passwordHint'>
    > & { cause?: unknown } = {},
  ) {
    super(message, { cause })
    this.status = status
    this.code = code
    this.retryAfter = retryAfter
    this.requestId = requestId
    this.details = details
    this.passwordHint = passwordHint
  }

  /** Whether nobody is signed in any more: there is nothing to try again. */
  get isSessionEnded(): boolean {
    return this.status === 401 && this.code !== 'SESSION_PASSWORD_NEEDED'
  }

  /** Whether the same request may succeed later: no answer, a full service, a wait that Telegram asks for. */
  get isTemporary(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 500
  }
}

/** Make an error of an answer that is none of success, whatever its body is. */
export function errorFrom(status: number, text: string, header: (name: string) => string | null | undefined): TgbridgeError {
  let body: Partial<Schemas['ErrorBody']> & { password_hint?: string | null } = {}
  try {
    body = Object(JSON.parse(text))
  } catch {
    // A proxy's page.
  }
  const seconds = body.retry_after ?? Number(header('Retry-After') || Number.NaN)
  return new TgbridgeError(body.error ?? `The service answered with status ${status}.`, {
    status,
    code: body.code ?? `HTTP_${status}`,
    retryAfter: Number.isFinite(seconds) ? seconds : undefined,
    requestId: header('X-Request-Id') ?? undefined,
    details: body.details,
    passwordHint: body.password_hint ?? null,
  })
}
