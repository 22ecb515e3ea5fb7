const units = ['B', 'kB', 'MB', 'GB']

export function bytes(size: number): string {
  let unit = 0
  while (size >= 1000 && unit < units.length - 1) {
    size /= 1000
    unit += 1
  }
  return `${size < 10 && unit ? size.toFixed(1) : Math.round(size)} ${units[unit]}`
}

export function clock(seconds: number): string {
  const whole = Math.round(seconds)
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`
}

const month = new Intl.DateTimeFormat('en', { month: 'long', year: 'numeric', timeZone: 'UTC' })
const moment = new Intl.DateTimeFormat('en', { dateStyle: 'medium', timeStyle: 'short', timeZone: 'UTC' })

/** Of a day such as 2026-11-28. Days are Telegram's, in UTC. */
export function monthOf(day: string): string {
  return month.format(new Date(`${day}T00:00:00Z`))
}

export function when(timestamp: string): string {
  return `${moment.format(new Date(timestamp))} UTC`
}
