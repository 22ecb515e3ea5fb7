/** Wait so many seconds, or until aborted, which throws the signal's reason. */
export function sleep(seconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted()
    const aborted = () => {
      clearTimeout(timer)
      reject(signal!.reason)
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', aborted)
      resolve()
    }, seconds * 1000)
    signal?.addEventListener('abort', aborted, { once: true })
  })
}

/** Wait until the browser has a network, or until aborted. At once where nobody can tell. */
export function online(signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted()
    if (globalThis.navigator?.onLine !== false) return resolve()
    const aborted = () => reject(signal!.reason)
    addEventListener('online', () => resolve(), { once: true, ...(signal && { signal }) })
    signal?.addEventListener('abort', aborted, { once: true })
  })
}

/** Waits that double from half a second to thirty, each half of it at random, so that not all come back at once. */
export class Backoff {
  #seconds = 0.5

  reset(): void {
    this.#seconds = 0.5
  }

  /** Wait `atLeast` seconds, or as long as it is the turn of; then for the network. */
  async wait(signal?: AbortSignal, atLeast = 0): Promise<void> {
    const seconds = this.#seconds * (0.5 + Math.random() / 2)
    this.#seconds = Math.min(30, this.#seconds * 2)
    await sleep(Math.max(atLeast, seconds), signal)
    await online(signal)
  }
}
