import type { ImageProps } from 'next/image'

import type { Media } from '../media.js'
import type { MediaItem } from '../schemas.js'

/**
 * A loader for next/image: the browser itself fetches thumbnails, in the width that it needs.
 *
 * Next's own optimizer sends no cookies. Pictures from elsewhere are left as they are.
 */
export function imageLoader({ src, width }: { src: string; width: number }): string {
  if (!/\bstream_thumbnail\//.test(src)) return src
  return `${src}${src.includes('?') ? '&' : '?'}w=${width}`
}

// A transparent pixel: an `Image` without a source is an error.
const NOTHING = 'data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw=='

/** What an `Image` of next/image needs to show an item's thumbnail, with room for it before it is there. */
export function imageProps(
  media: Media,
  item: MediaItem,
): Pick<ImageProps, 'src' | 'alt' | 'width' | 'height'> & Partial<Pick<ImageProps, 'placeholder' | 'blurDataURL'>> {
  return {
    src: media.thumbnail(item) ?? item.blur_data_url ?? NOTHING,
    alt: item.caption || item.name,
    width: item.width ?? 320,
    height: item.height ?? 320,
    ...(item.blur_data_url ? { placeholder: 'blur', blurDataURL: item.blur_data_url } : {}),
  }
}
