'use client'

import type { MediaItem, MediaType } from '@tgbridge/client'
import Link from 'next/link'
import { useRouter } from 'next/navigation'
import { useCallback, useEffect, useMemo, useRef, useState, useSyncExternalStore } from 'react'

import { Library } from '@/lib/library'
import { explain, tg } from '@/lib/tg'

import { Grid } from './grid'
import { useSay } from './notices'
import { Uploads } from './uploads'
import { Viewer } from './viewer'

const VIEWS: Record<string, readonly MediaType[]> = {
  'Photos and videos': ['photo', 'video'],
  GIFs: ['animation'],
  Files: ['document'],
  Music: ['audio'],
  Voice: ['voice', 'video_note'],
}
const UNDO_SECONDS = 6

export function Gallery({ name }: { name: string }) {
  const router = useRouter()
  const say = useSay()
  const [view, setView] = useState('Photos and videos')
  const [search, setSearch] = useState('')
  const [counts, setCounts] = useState<Partial<Record<MediaType, number>>>()
  const [open, setOpen] = useState<{ item: MediaItem; place: number }>()
  const library = useMemo(() => new Library(tg, { types: VIEWS[view]!, search }), [view, search])
  useSyncExternalStore(library.subscribe, library.getVersion, library.getVersion)
  useEffect(() => library.open(), [library])

  useEffect(() => {
    const look = () => void tg.media.counts().then(setCounts, () => {})
    look()
    return tg.events.subscribe((event) => {
      if (event.type === 'media_added' || event.type === 'media_deleted') look()
    })
  }, [])

  // The way back closes what is open, as people on phones expect.
  const show = useCallback((item: MediaItem, place: number) => {
    if (history.state?.viewer) history.replaceState({ ...history.state, viewer: true }, '')
    else history.pushState({ ...history.state, viewer: true }, '')
    setOpen({ item, place })
  }, [])
  const close = useCallback(() => {
    if (history.state?.viewer) history.back()
    else setOpen(undefined)
  }, [])
  useEffect(() => {
    const closed = () => setOpen(undefined)
    addEventListener('popstate', closed)
    return () => removeEventListener('popstate', closed)
  }, [])

  const pending = useRef(new Map<() => void, ReturnType<typeof setTimeout>>())
  useEffect(() => {
    const all = pending.current
    // Who leaves the page has not undone it.
    const flush = () => [...all.keys()].forEach((run) => run())
    addEventListener('pagehide', flush)
    return () => removeEventListener('pagehide', flush)
  }, [])

  function remove(item: MediaItem) {
    const restore = library.hide([item.id])
    close()
    const run = () => {
      clearTimeout(pending.current.get(run))
      pending.current.delete(run)
      tg.media.delete(item).catch((error: unknown) => {
        restore()
        say(explain(error))
      })
    }
    pending.current.set(run, setTimeout(run, UNDO_SECONDS * 1000))
    say(`Deleted ${item.name}.`, () => {
      clearTimeout(pending.current.get(run))
      if (pending.current.delete(run)) restore()
    })
  }

  async function logOut() {
    try {
      await tg.login.logOut()
      router.push('/sign-in')
    } catch (error) {
      say(explain(error))
    }
  }

  const beside = (by: number) => {
    const item = open && library.at(open.place + by)
    return item && (() => show(item, open.place + by))
  }
  const isEmpty = library.total === 0

  return (
    <>
      <header className="bar" inert={open !== undefined}>
        <h1>Saved by {name}</h1>
        <search>
          <Search onSearch={setSearch} />
        </search>
        <nav aria-label="Account">
          <Link href="/devices">Devices</Link>
          <button className="link" onClick={() => void logOut()}>
            Log out
          </button>
        </nav>
        <div className="filters" role="group" aria-label="What is shown">
          {Object.entries(VIEWS).map(([label, types]) => (
            <button key={label} aria-pressed={label === view} onClick={() => setView(label)}>
              {label} {counts && <small>{types.reduce((sum, type) => sum + (counts[type] ?? 0), 0)}</small>}
            </button>
          ))}
        </div>
      </header>
      <main className="library" inert={open !== undefined} aria-busy={library.total === undefined}>
        <Uploads />
        {library.error !== undefined && <p role="alert">{explain(library.error)}</p>}
        {isEmpty && <p>{search ? `Nothing is called “${search}”.` : 'Nothing here yet. Drop a file to save it.'}</p>}
        <Grid library={library} onOpen={show} />
      </main>
      {open && (
        <Viewer
          key={open.item.id}
          item={library.at(open.place) ?? open.item}
          onPrevious={beside(-1)}
          onNext={beside(1)}
          onClose={close}
          onDelete={remove}
          onEdited={(item) => library.replace(item)}
        />
      )}
    </>
  )
}

const TYPING_MILLISECONDS = 300

function Search({ onSearch }: { onSearch: (text: string) => void }) {
  const [text, setText] = useState('')
  useEffect(() => {
    const timer = setTimeout(() => onSearch(text.trim()), TYPING_MILLISECONDS)
    return () => clearTimeout(timer)
  }, [text, onSearch])
  return (
    <input
      type="search"
      aria-label="Search captions and names"
      placeholder="Search"
      value={text}
      onChange={(event) => setText(event.target.value)}
    />
  )
}
