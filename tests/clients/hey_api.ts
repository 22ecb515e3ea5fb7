// What a frontend does with the client that Hey API makes.

import { client } from './hey/client.gen'
import {
  claimQrLogin,
  getSavedMessagesMedia,
  qrLogin,
  sendCode,
  signIn,
  streamMedia,
  streamThumbnail,
  uploadFile,
} from './hey/sdk.gen'
import type { ErrorCode, QrLoginEvents } from './hey/types.gen'

client.setConfig({ baseUrl: '', credentials: 'include' })

export async function begin(phone: string): Promise<number> {
  const { data, error } = await sendCode({ body: { phone } })
  const code: ErrorCode | string | undefined = error?.code
  return data?.length ?? code?.length ?? 0
}

export async function complete(phone: string, code: string): Promise<string> {
  const { data, error } = await signIn({ body: { phone, code } })
  if (error) return error.code === 'SESSION_PASSWORD_NEEDED' ? 'password' : error.error
  return data.user.first_name ?? ''
}

// @ts-expect-error: there is no such code
export const unknown: ErrorCode = 'NO_SUCH_CODE'

export async function gallery(): Promise<string[]> {
  const { data } = await getSavedMessagesMedia()
  return (data ?? []).map(({ name, width = 0, duration = 0 }) => `${name} ${width + duration}`)
}

export async function upload(files: File[], thumbnail: Blob): Promise<number | undefined> {
  const { data } = await uploadFile({
    headers: { 'X-Upload-Id': crypto.randomUUID() },
    body: { file: files, caption: 'Hello', thumbnail, duration: 3 },
  })
  return data?.message_ids?.[0] ?? data?.message_id
}

export async function bytes(message_id: number): Promise<(Blob | File | undefined)[]> {
  const file = await streamMedia({ path: { message_id }, parseAs: 'blob' })
  const picture = await streamThumbnail({ path: { message_id }, query: { size: 'small' } })
  return [file.data, picture.data]
}

export async function scan(show: (svg: string) => void): Promise<void> {
  const { stream } = await qrLogin({
    onSseEvent({ event, data }) {
      const told = { [event ?? '']: data } as QrLoginEvents
      if (told.qr) show(told.qr.svg)
      if (told.authenticated) void claimQrLogin({ body: told.authenticated })
    },
  })
  for await (const _ of stream);
}
