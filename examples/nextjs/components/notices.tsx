'use client'

import { usePathname, useRouter } from 'next/navigation'
import { type ReactNode, createContext, useCallback, useContext, useEffect, useRef, useState } from 'react'

interface Notice {
  id: number
  text: string
  undo?: () => void
}

type Say = (text: string, undo?: () => void) => void

const Saying = createContext<Say>(() => {})

/** Say something to the person, with a way back where there is one. */
export const useSay = (): Say => useContext(Saying)

const SECONDS = 6

/** What stands over every page: short notices, and that there is no network or no session. */
export function Notices({ children }: { children: ReactNode }) {
  const router = useRouter()
  const path = usePathname()
  const [notices, setNotices] = useState<Notice[]>([])
  const [isOffline, setOffline] = useState(false)
  const [hasEnded, setEnded] = useState(false)
  const last = useRef(0)
  const dismiss = useCallback((id: number) => setNotices((all) => all.filter((one) => one.id !== id)), [])
  const say = useCallback<Say>(
    (text, undo) => {
      const id = (last.current += 1)
      setNotices((all) => [...all, { id, text, ...(undo && { undo }) }])
      setTimeout(() => dismiss(id), SECONDS * 1000)
    },
    [dismiss],
  )
  useEffect(() => {
    const look = () => setOffline(!navigator.onLine)
    const ended = () => setEnded(true)
    look()
    addEventListener('online', look)
    addEventListener('offline', look)
    addEventListener('session-ended', ended)
    return () => {
      removeEventListener('online', look)
      removeEventListener('offline', look)
      removeEventListener('session-ended', ended)
    }
  }, [])
  function signIn() {
    setEnded(false)
    router.push(`/sign-in?next=${encodeURIComponent(path)}`)
  }
  return (
    <Saying value={say}>
      {children}
      {hasEnded && path !== '/sign-in' && (
        <div className="banner" role="alert">
          You have been signed out. <button onClick={signIn}>Sign in again</button>
        </div>
      )}
      {isOffline && (
        <div className="banner" role="status">
          You are offline. Uploads go on by themselves once you are back.
        </div>
      )}
      <div className="notices" role="status" aria-live="polite">
        {notices.map(({ id, text, undo }) => (
          <div key={id} className="notice">
            {text}
            {undo && (
              <button
                onClick={() => {
                  undo()
                  dismiss(id)
                }}
              >
                Undo
              </button>
            )}
          </div>
        ))}
      </div>
    </Saying>
  )
}
