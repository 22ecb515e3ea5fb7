'use client'

import type { MediaItem } from '@tgbridge/client'
import { type KeyboardEvent, useEffect, useLayoutEffect, useRef, useState } from 'react'

import { monthOf } from '@/lib/format'
import type { Library } from '@/lib/library'

import { Tile } from './tile'

const GAP = 4
const HEADER = 48
const SMALLEST = 104 // pixels: three tiles beside each other on a phone
const OVERSCAN = 600

interface Section {
  key: string
  start: number
  count: number
  top: number
  height: number
}

/** Where everything stands follows from the counts alone, so that nothing moves when items and pictures come. */
function lay(library: Library, width: number) {
  const columns = Math.max(3, Math.floor((width + GAP) / (SMALLEST * (width > 700 ? 1.5 : 1) + GAP)))
  const size = (width - GAP * (columns - 1)) / columns
  const step = size + GAP
  let top = 0
  const sections: Section[] = library.months.map((month) => {
    const height = HEADER + Math.ceil(month.count / columns) * step
    const section = { ...month, top, height }
    top += height
    return section
  })
  return { columns, size, step, sections, height: top }
}

/** All of a library, of which only what is near the window is there. Arrow keys lead through it. */
export function Grid({ library, onOpen }: { library: Library; onOpen: (item: MediaItem, place: number) => void }) {
  const box = useRef<HTMLDivElement>(null)
  const [width, setWidth] = useState(0)
  const [view, setView] = useState({ top: 0, bottom: 0 })
  const [focused, setFocused] = useState(0)
  const moved = useRef(false)

  useLayoutEffect(() => {
    const element = box.current!
    const look = () => {
      const { top } = element.getBoundingClientRect()
      setWidth(element.clientWidth)
      setView({ top: -top - OVERSCAN, bottom: -top + innerHeight + OVERSCAN })
    }
    let frame = 0
    const soon = () => {
      cancelAnimationFrame(frame)
      frame = requestAnimationFrame(look)
    }
    look()
    const resized = new ResizeObserver(soon)
    resized.observe(element)
    addEventListener('scroll', soon, { passive: true })
    return () => {
      cancelAnimationFrame(frame)
      resized.disconnect()
      removeEventListener('scroll', soon)
    }
  }, [])

  const { columns, size, step, sections, height } = lay(library, width || 1)
  const total = library.total ?? 0
  const visible = sections
    .filter((one) => one.top < view.bottom && one.top + one.height > view.top)
    .map((one) => {
      const first = Math.max(0, Math.floor((view.top - one.top - HEADER) / step)) * columns
      const last = Math.min(one.count, Math.max(0, Math.ceil((view.bottom - one.top - HEADER) / step)) * columns)
      return { ...one, first, last }
    })
  const from = visible[0] ? visible[0].start + visible[0].first : 0
  const until = visible.length ? visible.at(-1)!.start + visible.at(-1)!.last : 0

  // Tab leads to the tile that was used last, or, where that is far away, to what is seen.
  const reachable = focused >= from && focused < until ? focused : from

  useEffect(() => {
    if (width) library.want(from, until)
  })

  useEffect(() => {
    if (!moved.current) return
    const tile = document.getElementById(`tile-${focused}`)
    tile?.focus({ preventScroll: true })
    moved.current = !tile // it comes when the page has scrolled there and its item is known
  })

  function go(place: number) {
    place = Math.max(0, Math.min(total - 1, place))
    const section = sections.findLast((one) => one.start <= place)
    if (!section) return
    moved.current = true
    setFocused(place)
    const top = section.top + HEADER + Math.floor((place - section.start) / columns) * step
    const page = box.current!.getBoundingClientRect().top + scrollY
    const above = page + top - HEADER - 64 // what stands over the page
    if (above < scrollY) scrollTo({ top: above })
    else if (page + top + size > scrollY + innerHeight) scrollTo({ top: page + top + size - innerHeight + GAP })
  }

  function onKeyDown(event: KeyboardEvent) {
    const rows = Math.max(1, Math.floor(innerHeight / step) - 1)
    const steps: Record<string, number> = {
      ArrowLeft: -1,
      ArrowRight: 1,
      ArrowUp: -columns,
      ArrowDown: columns,
      PageUp: -columns * rows,
      PageDown: columns * rows,
      Home: -total,
      End: total,
    }
    const by = steps[event.key]
    if (by === undefined || event.altKey || event.ctrlKey || event.metaKey) return
    event.preventDefault()
    go(focused + by)
  }

  return (
    <div ref={box} className="grid" style={{ height }} onKeyDown={onKeyDown}>
      {visible.map((section) => (
        <section key={section.key} aria-labelledby={`month-${section.key}`} style={{ top: section.top, height: section.height }}>
          <h2 id={`month-${section.key}`}>
            {monthOf(`${section.key}-01`)} <small>{section.count}</small>
          </h2>
          <ul>
            {Array.from({ length: Math.max(0, section.last - section.first) }, (_, index) => {
              const inside = section.first + index
              const place = section.start + inside
              const item = library.at(place)
              return (
                <li
                  key={item?.id ?? `place-${place}`}
                  style={{
                    width: size,
                    height: size,
                    transform: `translate(${(inside % columns) * step}px, ${Math.floor(inside / columns) * step}px)`,
                  }}
                >
                  {item && (
                    <Tile
                      item={item}
                      place={place}
                      size={size}
                      isReachable={place === reachable}
                      onOpen={() => onOpen(item, place)}
                      onFocus={() => setFocused(place)}
                    />
                  )}
                </li>
              )
            })}
          </ul>
        </section>
      ))}
    </div>
  )
}
