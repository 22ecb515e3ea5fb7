'use client'

import type { UploadProgress, UploadTask } from '@tgbridge/client'
import { type ChangeEvent, useCallback, useEffect, useRef, useState } from 'react'

import { bytes } from '@/lib/format'
import { explain, tg } from '@/lib/tg'

interface Row {
  file: File
  task: UploadTask
  progress: UploadProgress
  state: 'running' | 'paused' | 'done' | 'failed'
  error?: string
}

const DONE_SECONDS = 4

/** Files on their way: dropped, pasted or chosen. */
export function Uploads() {
  const [rows, setRows] = useState<Row[]>([])
  const [isOver, setOver] = useState(false)
  const input = useRef<HTMLInputElement>(null)

  const change = useCallback((file: File, news: Partial<Row>) => {
    setRows((all) => all.map((row) => (row.file === file ? { ...row, ...news } : row)))
  }, [])
  const drop = useCallback((file: File) => setRows((all) => all.filter((row) => row.file !== file)), [])

  const send = useCallback(
    (files: Iterable<File>) => {
      for (const file of files) {
        const task = tg.uploads.start(file, { onProgress: (progress) => change(file, { progress }) })
        const row: Row = { file, task, state: 'running', progress: { sent: 0, stored: 0, total: file.size } }
        // A file that is on its way already is the same task.
        setRows((all) => (all.some((one) => one.task === task) ? all : [...all, row]))
        task.done.then(
          () => {
            change(file, { state: 'done' })
            setTimeout(() => drop(file), DONE_SECONDS * 1000)
          },
          (error: unknown) => {
            if (error instanceof DOMException && error.name === 'AbortError') drop(file)
            else change(file, { state: 'failed', error: explain(error) })
          },
        )
      }
    },
    [change, drop],
  )

  useEffect(() => {
    const over = (event: DragEvent) => {
      if (!event.dataTransfer?.types.includes('Files')) return
      event.preventDefault()
      setOver(event.type === 'dragover')
      if (event.type === 'drop') send(event.dataTransfer.files)
    }
    const paste = (event: ClipboardEvent) => {
      const files = event.clipboardData?.files
      if (files?.length) send(files)
    }
    const names = ['dragover', 'dragleave', 'drop'] as const
    names.forEach((name) => addEventListener(name, over))
    addEventListener('paste', paste)
    return () => {
      names.forEach((name) => removeEventListener(name, over))
      removeEventListener('paste', paste)
    }
  }, [send])

  useEffect(() => {
    if (!rows.some(({ state }) => state === 'running')) return
    const ask = (event: BeforeUnloadEvent) => event.preventDefault()
    addEventListener('beforeunload', ask)
    return () => removeEventListener('beforeunload', ask)
  }, [rows])

  function chosen(event: ChangeEvent<HTMLInputElement>) {
    send([...(event.target.files ?? [])])
    event.target.value = '' // so that the same file can be chosen again
  }

  return (
    <>
      <input ref={input} type="file" multiple hidden aria-label="Files to upload" onChange={chosen} />
      <button className="upload" onClick={() => input.current?.click()}>
        Upload
      </button>
      {isOver && <div className="drop">Drop to save</div>}
      {rows.length > 0 && (
        <section className="tray" aria-label="Uploads">
          {rows.map(({ file, task, state, error, progress }, index) => (
            <div key={index}>
              <span>{file.name}</span>
              <progress aria-label={`Upload of ${file.name}`} max={progress.total || 1} value={state === 'done' ? progress.total || 1 : progress.sent} />
              <small role={error ? 'alert' : undefined}>
                {error ?? (state === 'done' ? 'Saved' : say(state, progress))}
              </small>
              {state === 'running' && (
                <button onClick={() => (task.pause(), change(file, { state: 'paused' }))}>Pause</button>
              )}
              {state === 'paused' && (
                <button onClick={() => (task.resume(), change(file, { state: 'running' }))}>Resume</button>
              )}
              {state !== 'done' && (
                <button aria-label={`Cancel the upload of ${file.name}`} onClick={() => (task.abort(), drop(file))}>
                  ✕
                </button>
              )}
            </div>
          ))}
        </section>
      )}
    </>
  )
}

function say(state: Row['state'], { sent, stored, total, waiting }: UploadProgress): string {
  if (state === 'paused') return 'Paused'
  if (waiting) return `Telegram asks for ${waiting} s of patience`
  return `${bytes(Math.max(sent, stored))} of ${bytes(total)}`
}
