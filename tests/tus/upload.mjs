// Uploads a file with the official client, and prints as JSON how that went.
//
// node upload.mjs '{"endpoint": …, "cookie": …, "path": …, "options": {…}}'

import { createReadStream } from 'node:fs'
import { PassThrough } from 'node:stream'
import { Upload } from 'tus-js-client'

const { endpoint, cookie, path, options } = JSON.parse(process.argv[2])
const requests = []

// A length is unknown to the client only of a stream that is no file.
const file = createReadStream(path)
const source = options.uploadLengthDeferred ? file.pipe(new PassThrough()) : file

const upload = new Upload(source, {
  endpoint,
  headers: { Cookie: cookie },
  metadata: { filename: 'hundred.bin', filetype: 'application/x-noise', caption: 'by tus-js-client' },
  retryDelays: [0, 200, 1000, 3000, 5000],
  onAfterResponse: (request, response) => {
    requests.push([request.getMethod(), response.getStatus()])
  },
  onError: (error) => {
    console.error(error)
    process.exit(1)
  },
  onSuccess: ({ lastResponse }) => {
    const messageId = Number(lastResponse.getHeader('X-Message-Id'))
    console.log(JSON.stringify({ requests, messageId, url: upload.url }))
  },
  ...options,
})
upload.start()
