import { Connection, type ConnectionOptions } from './connection.js'
import { Events } from './events.js'
import { Login } from './login.js'
import { Media } from './media.js'
import type { Schemas, User } from './schemas.js'
import { Uploads } from './upload.js'

export { Connection, type ConnectionOptions } from './connection.js'
export { TgbridgeError, type ErrorCode } from './errors.js'
export { Events, type EventsOptions, type LibraryEvent } from './events.js'
export { Login, type LoginState, type QrStep } from './login.js'
export { Media, type MediaPage, type MediaQuery, type ThumbnailFit, type Ticket, type TimelineDay } from './media.js'
export type { MediaItem, MediaType, Schemas, User } from './schemas.js'
export { Uploads, type UploadOptions, type UploadProgress, type UploadTask } from './upload.js'

export type ClientOptions = ConnectionOptions

/** A tgbridge service, as one object. Its parts can be had alone, each made with a `Connection`. */
export class Client {
  readonly connection: Connection
  readonly login: Login
  readonly media: Media
  readonly events: Events
  readonly uploads: Uploads

  constructor(options: ClientOptions = {}) {
    this.connection = new Connection(options)
    this.login = new Login(this.connection)
    this.media = new Media(this.connection)
    this.events = new Events(this.connection)
    this.uploads = new Uploads(this.connection, this.events)
  }

  /** What the cookie alone tells: nobody at Telegram is asked. */
  session(signal?: AbortSignal): Promise<Schemas['CookieSession']> {
    return this.connection.json('GET', 'session', { signal })
  }

  /** Who is signed in. */
  me(signal?: AbortSignal): Promise<User> {
    return this.connection.json('GET', 'me', { signal })
  }

  /** Where the account is signed in. */
  devices(signal?: AbortSignal): Promise<Schemas['Device'][]> {
    return this.connection.json('GET', 'sessions', { signal })
  }

  /** End the session of one device, or of all others. */
  async signOut(device?: Schemas['Device']): Promise<void> {
    await this.connection.send('DELETE', device ? `sessions/${device.hash}` : 'sessions')
  }
}

export function createClient(options: ClientOptions = {}): Client {
  return new Client(options)
}
