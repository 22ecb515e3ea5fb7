// What a frontend does with the types that openapi-typescript makes, by openapi-fetch and by EventSource.

import createClient from 'openapi-fetch'
import type { components, paths } from './schema'

type Schemas = components['schemas']
const client = createClient<paths>({ baseUrl: '' })

export async function signIn(phone: string, code: string): Promise<string> {
  const { data, error, response } = await client.POST('/sign-in', { body: { phone, code } })
  if (error) return explain(error)
  const cookie: string | null = response.headers.get('Set-Cookie')
  return `${data.user.first_name ?? data.user.id} ${cookie}`
}

// Each code that a page knows is one that there is; the compiler would say so otherwise.
export function explain(error: Schemas['ErrorBody'] | Schemas['Failed']): string {
  switch (error.code) {
    case 'SESSION_REVOKED':
    case 'NOT_AUTHENTICATED':
      return 'sign in again'
    case 'SESSION_PASSWORD_NEEDED':
      return 'password'
    case 'FLOOD_WAIT':
      return `in ${error.retry_after ?? 0} s`
    case 'MEDIA_NOT_FOUND':
    case 'MISSING_FIELD':
      return error.details ?? error.error
    default:
      return error.error
  }
}

// @ts-expect-error: there is no such code
export const unknown: Schemas['ErrorCode'] = 'NO_SUCH_CODE'

export async function gallery(): Promise<string[]> {
  const { data } = await client.GET('/get-saved-messages-media')
  return (data ?? []).map((item) => {
    const width: number | undefined = item.width // left out, never null
    const blur: string | undefined = item.blur_data_url
    const poster: string | null = item.thumbnail_url // always there, null without one
    const parts: string[] = (item.parts ?? []).map((part) => part.thumbnail_url ?? part.url)
    const smallest: number = Math.min(...(item.renditions ?? []).map((one) => one.size))
    const loudest: number = Math.max(...(item.waveform ?? []))
    const spoiler: true | undefined = item.spoiler
    return `${item.name} ${width} ${blur} ${poster} ${parts} ${smallest} ${loudest} ${spoiler} ${item.url}`
  })
}

export function picture(id: number, version: string): Promise<unknown> {
  return client.GET('/stream_thumbnail/{message_id}', {
    params: { path: { message_id: id }, query: { v: version, w: 640, part: 2 } },
    parseAs: 'blob',
  })
}

export async function upload(file: File, poster: Blob): Promise<number | undefined> {
  const { data } = await client.POST('/upload_file', {
    body: { file: [file.name], caption: 'Hello', as: 'document' },
    bodySerializer(fields) {
      const form = new FormData()
      form.append('caption', fields.caption ?? '')
      form.append('file', file)
      form.append('thumbnail', poster)
      return form
    },
  })
  const ids: number[] = data?.message_ids ?? []
  return ids[0] ?? data?.message_id
}

export async function bytes(message_id: number): Promise<Blob | undefined> {
  const { data } = await client.GET('/stream_media/{message_id}', {
    params: { path: { message_id } },
    parseAs: 'blob',
  })
  return data
}

function on<Events, Name extends keyof Events & string>(
  source: EventSource,
  name: Name,
  then: (data: NonNullable<Events[Name]>) => void,
): void {
  source.addEventListener(name, (event) => {
    if (event instanceof MessageEvent) then(JSON.parse(event.data))
  })
}

export function qrLogin(source: EventSource): void {
  type Events = Schemas['QrLoginEvents']
  on<Events, 'qr'>(source, 'qr', ({ svg, expires_at }) => console.log(svg, expires_at))
  on<Events, 'authenticated'>(source, 'authenticated', async (data) => {
    await client.POST('/qr-login/claim', { body: data })
  })
}

export function progress(source: EventSource): void {
  type Events = Schemas['UploadEvents']
  on<Events, 'progress'>(source, 'progress', ({ stored, total }) => console.log(stored / (total ?? Infinity)))
  on<Events, 'done'>(source, 'done', ({ id }) => console.log(id))
  on<Events, 'error'>(source, 'error', ({ error, code }) => console.log(error, code))
}
