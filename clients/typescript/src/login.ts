import type { Connection } from './connection.js'
import { TgbridgeError } from './errors.js'
import { readEvents } from './event-stream.js'
import type { Schemas, User } from './schemas.js'

/** Where a login stands: what the page has to show next. */
export type LoginState =
  | { readonly step: 'phone' }
  /** A code is on its way; `sent` says how, how it looks, and when asking for another makes sense. */
  | { readonly step: 'code'; readonly phone: string; readonly sent: Schemas['CodeSent'] }
  /** The account has two-step verification. */
  | { readonly step: 'password'; readonly hint: string | null }
  | { readonly step: 'done'; readonly user: User }

/** What a QR login shows: a code, again whenever it is renewed, then how it ended. */
export type QrStep =
  | { readonly step: 'scan'; readonly url: string; readonly svg: string; readonly expiresAt: Date }
  | Extract<LoginState, { step: 'password' | 'done' }>
  | { readonly step: 'expired' }

/**
 * Signing in, as a state that steps lead on from: phone → code → password → done.
 *
 * `subscribe` and `getState` are what React's `useSyncExternalStore` takes. A step that fails throws a
 * TgbridgeError, and leaves the state where it was; the same step can be tried again.
 */
export class Login {
  readonly #connection: Connection
  readonly #listeners = new Set<() => void>()
  #state: LoginState = { step: 'phone' }

  constructor(connection: Connection) {
    this.#connection = connection
  }

  getState = (): LoginState => this.#state

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Have a code sent. The number may be typed as people do: spaces, brackets, digits of any script. */
  async sendCode(phone: string): Promise<LoginState> {
    const sent = await this.#post<Schemas['CodeSent']>('send-code', { phone })
    return this.#now({ step: 'code', phone, sent })
  }

  /** Have the code sent again, by the next way (`sent.next_type`), once `sent.timeout` seconds have passed. */
  async resend(): Promise<LoginState> {
    const { phone } = this.#code()
    return this.#now({ step: 'code', phone, sent: await this.#post<Schemas['CodeSent']>('resend-code', { phone }) })
  }

  /** Give up, and have the code made invalid. */
  async cancel(): Promise<LoginState> {
    if (this.#state.step === 'code') await this.#post('cancel-code', { phone: this.#state.phone })
    return this.#now({ step: 'phone' })
  }

  /** Try the code; leads to `done`, or to `password`. */
  async submitCode(code: string): Promise<LoginState> {
    const { phone } = this.#code()
    try {
      const { user } = await this.#post<Schemas['SignedIn']>('sign-in', { phone, code })
      return this.#now({ step: 'done', user })
    } catch (error) {
      if (!(error instanceof TgbridgeError) || error.code !== 'SESSION_PASSWORD_NEEDED') throw error
      return this.#now({ step: 'password', hint: error.passwordHint })
    }
  }

  /** Complete the login of an account with two-step verification. */
  async submitPassword(password: string): Promise<LoginState> {
    const { user } = await this.#post<Schemas['SignedIn']>('sign-in-password', { password })
    return this.#now({ step: 'done', user })
  }

  /**
   * Sign in by a code that another device scans. Ends after `done`, `password` (then `submitPassword`) or
   * `expired`; the login is claimed by itself.
   */
  async *qr(signal?: AbortSignal): AsyncGenerator<QrStep, void> {
    const answer = await this.#connection.send('GET', 'qr-login', { signal })
    for await (const { event, data } of readEvents(answer, { signal })) {
      if (event === 'qr') {
        const { url, svg, expires_at }: Schemas['QrCodeShown'] = JSON.parse(data)
        yield { step: 'scan', url, svg, expiresAt: new Date(expires_at) }
      } else if (event === 'authenticated') {
        const { user } = await this.#post<Schemas['SignedIn']>('qr-login/claim', JSON.parse(data))
        yield this.#now({ step: 'done', user })
        return
      } else if (event === 'password_required') {
        const { password_hint }: Schemas['QrPasswordRequired'] = JSON.parse(data)
        yield this.#now({ step: 'password', hint: password_hint })
        return
      } else if (event === 'expired') {
        yield { step: 'expired' }
        return
      }
    }
    throw new TgbridgeError('The connection was lost.')
  }

  /** End the session, here and at Telegram. */
  async logOut(): Promise<void> {
    this.#connection.hasLoggedOut = true
    try {
      await this.#post('logout')
    } catch (error) {
      // Where it has ended already there is nothing left to do.
      if (!(error instanceof TgbridgeError && error.isSessionEnded)) {
        this.#connection.hasLoggedOut = false
        throw error
      }
    }
    this.#now({ step: 'phone' })
  }

  #code(): Extract<LoginState, { step: 'code' }> {
    if (this.#state.step !== 'code') {
      throw new TgbridgeError('Please request a code first.', { status: 400, code: 'CODE_NOT_REQUESTED' })
    }
    return this.#state
  }

  #post<T>(path: string, json: unknown = {}): Promise<T> {
    return this.#connection.json<T>('POST', path, { json })
  }

  #now<State extends LoginState>(state: State): State {
    this.#state = state
    if (state.step === 'done') this.#connection.hasLoggedOut = false
    for (const listener of this.#listeners) listener()
    return state
  }
}
