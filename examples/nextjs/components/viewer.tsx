'use client'

import type { MediaItem } from '@tgbridge/client'
import { type FormEvent, type KeyboardEvent, useEffect, useRef, useState } from 'react'

import { bytes, when } from '@/lib/format'
import { explain, tg } from '@/lib/tg'

import { useSay } from './notices'

interface ViewerProps {
  item: MediaItem
  onPrevious: (() => void) | undefined
  onNext: (() => void) | undefined
  onClose: () => void
  onDelete: (item: MediaItem) => void
  onEdited: (item: MediaItem) => void
}

/** One item, as large as there is room, with what can be done with it. */
export function Viewer({ item, onPrevious, onNext, onClose, onDelete, onEdited }: ViewerProps) {
  const dialog = useRef<HTMLDialogElement>(null)
  // Not modal: notices stand above it. What is below is inert meanwhile.
  useEffect(() => {
    const before = document.activeElement
    dialog.current!.focus()
    return () => {
      if (before instanceof HTMLElement) before.focus()
    }
  }, [])

  function onKeyDown(event: KeyboardEvent) {
    if (event.key === 'Escape') onClose()
    // Players and fields have uses of their own for these.
    if (event.target instanceof HTMLMediaElement || event.target instanceof HTMLInputElement) return
    if (event.key === ' ' && event.target === dialog.current) {
      event.preventDefault()
      const player = dialog.current?.querySelector<HTMLMediaElement>('video, audio')
      if (player?.paused) void player.play()
      else player?.pause()
    } else if (event.key === 'ArrowLeft') onPrevious?.()
    else if (event.key === 'ArrowRight') onNext?.()
    else if (event.key === 'Delete') onDelete(item)
  }

  return (
    <dialog open ref={dialog} className="viewer" tabIndex={-1} aria-label={item.caption || item.name} onKeyDown={onKeyDown}>
      <div className="tools">
        <button aria-label="Previous" disabled={!onPrevious} onClick={onPrevious}>
          ←
        </button>
        <button aria-label="Next" disabled={!onNext} onClick={onNext}>
          →
        </button>
        <a href={tg.media.url(item, { download: true })} download>
          Download
        </a>
        <Share item={item} />
        <button onClick={() => onDelete(item)}>Delete</button>
        <button aria-label="Close" onClick={onClose}>
          ✕
        </button>
      </div>
      <div className="stage">
        <Content item={item} />
      </div>
      <footer>
        <Caption item={item} onEdited={onEdited} />
        <small>
          {item.name}, {bytes(item.size)}, {when(item.timestamp)}
        </small>
      </footer>
    </dialog>
  )
}

function Content({ item }: { item: MediaItem }) {
  const url = tg.media.url(item)
  const poster = tg.media.thumbnail(item, { size: 'large' }) ?? undefined
  const shape = item.width && item.height ? { aspectRatio: `${item.width} / ${item.height}` } : {}
  const label = item.caption || item.name
  switch (item.type) {
    case 'photo':
      return <Picture item={item} src={url} />
    case 'video':
    case 'video_note':
    case 'animation':
      return (
        <video
          src={url}
          poster={poster}
          style={shape}
          aria-label={label}
          controls
          // A GIF starts by itself, and never ends: not for people whose system says that it should not.
          autoPlay={item.type !== 'animation' || !matchMedia('(prefers-reduced-motion: reduce)').matches}
          playsInline
          loop={item.type === 'animation'}
          muted={item.type === 'animation'}
        />
      )
    case 'audio':
    case 'voice':
      return (
        <div className="sound">
          <p>
            <strong>{item.title ?? item.name}</strong>
            {item.performer && <> by {item.performer}</>}
          </p>
          {item.waveform && <Waveform values={item.waveform} />}
          <audio src={url} aria-label={label} controls autoPlay />
        </div>
      )
    default:
      if (item.mime_type?.startsWith('image/') && item.mime_type !== 'image/svg+xml') return <Picture item={item} src={url} />
      if (item.mime_type === 'application/pdf') return <iframe src={url} title={item.name} />
      return (
        <p className="sound">
          <strong>{item.name}</strong> can be downloaded.
        </p>
      )
  }
}

function Picture({ item, src }: { item: MediaItem; src: string }) {
  return (
    // The file itself, in all its pixels: nothing for next/image to choose.
    // eslint-disable-next-line @next/next/no-img-element
    <img
      src={src}
      alt={item.caption || item.name}
      width={item.width}
      height={item.height}
      style={item.blur_data_url ? { backgroundImage: `url(${item.blur_data_url})` } : {}}
    />
  )
}

function Waveform({ values }: { values: readonly number[] }) {
  return (
    <svg className="waveform" viewBox={`0 0 ${values.length * 3} 32`} preserveAspectRatio="none" aria-hidden>
      {values.map((value, index) => (
        <rect key={index} x={index * 3} y={31 - value} width={2} height={value + 1} />
      ))}
    </svg>
  )
}

function Caption({ item, onEdited }: { item: MediaItem; onEdited: (item: MediaItem) => void }) {
  const say = useSay()
  const [isEditing, setEditing] = useState(false)
  const [isBusy, setBusy] = useState(false)
  async function save(event: FormEvent<HTMLFormElement>) {
    event.preventDefault()
    setBusy(true)
    try {
      onEdited(await tg.media.edit(item, String(new FormData(event.currentTarget).get('caption'))))
      setEditing(false)
    } catch (error) {
      say(explain(error))
    } finally {
      setBusy(false)
    }
  }
  if (!isEditing) {
    return (
      <p>
        {/* The service has made it safe, whatever the message holds. */}
        {item.caption_html ? <span dangerouslySetInnerHTML={{ __html: item.caption_html }} /> : item.caption}{' '}
        <button className="link" onClick={() => setEditing(true)}>
          {item.caption ? 'Edit caption' : 'Add a caption'}
        </button>
      </p>
    )
  }
  return (
    <form onSubmit={save}>
      <input name="caption" aria-label="Caption" defaultValue={item.caption} autoFocus />
      <button disabled={isBusy}>Save</button>
      <button type="button" onClick={() => setEditing(false)}>
        Cancel
      </button>
    </form>
  )
}

const EXPIRIES = { 'an hour': 3600, 'a day': 86400, 'a week': 604800 }

function Share({ item }: { item: MediaItem }) {
  const say = useSay()
  const [url, setUrl] = useState('')
  async function share(expiresIn: number) {
    try {
      const ticket = await tg.media.ticket(item, { expiresIn })
      setUrl(ticket.url)
      await navigator.clipboard?.writeText(ticket.url).then(() => say('The link is copied.'), () => {})
    } catch (error) {
      say(explain(error))
    }
  }
  return (
    <details className="share">
      <summary>Share</summary>
      <div>
        <p>A link for whoever has it, for</p>
        {Object.entries(EXPIRIES).map(([label, seconds]) => (
          <button key={label} onClick={() => void share(seconds)}>
            {label}
          </button>
        ))}
        {url && <input readOnly aria-label="Link" value={url} onFocus={(event) => event.target.select()} />}
      </div>
    </details>
  )
}
