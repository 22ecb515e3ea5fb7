'use client'

import type { MediaItem } from '@tgbridge/client'
import { imageProps } from '@tgbridge/client/next'
import Image from 'next/image'

import { bytes, clock, when } from '@/lib/format'
import { tg } from '@/lib/tg'

const MARKS: Partial<Record<MediaItem['type'], string>> = {
  video: '▶',
  video_note: '▶',
  animation: 'GIF',
  audio: '♪',
  voice: '●',
}

interface TileProps {
  item: MediaItem
  place: number
  size: number
  isReachable: boolean
  onOpen: () => void
  onFocus: () => void
}

export function Tile({ item, place, size, isReachable, onOpen, onFocus }: TileProps) {
  const mark = MARKS[item.type]
  return (
    <button
      id={`tile-${place}`}
      className={item.spoiler ? 'tile spoiler' : 'tile'}
      tabIndex={isReachable ? 0 : -1}
      onClick={onOpen}
      onFocus={onFocus}
    >
      <span className="unseen">
        {item.caption || item.name}, {item.type.replace('_', ' ')}, {when(item.timestamp)}
      </span>
      {item.has_thumbnail ? (
        <Image {...imageProps(tg.media, item)} alt="" sizes={`${Math.ceil(size)}px`} />
      ) : (
        <span className="file">
          <strong>{item.name}</strong>
          <small>{bytes(item.size)}</small>
        </span>
      )}
      {mark && (
        <span className="mark">
          {mark} {item.duration ? clock(item.duration) : ''}
        </span>
      )}
    </button>
  )
}
