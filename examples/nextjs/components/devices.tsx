'use client'

import type { Schemas } from '@tgbridge/client'
import { useState } from 'react'

import { when } from '@/lib/format'
import { explain, tg } from '@/lib/tg'

import { useSay } from './notices'

export function Devices({ initial }: { initial: Schemas['Device'][] }) {
  const [devices, setDevices] = useState(initial)
  const say = useSay()
  async function signOut(device?: Schemas['Device']) {
    try {
      await tg.signOut(device)
      setDevices((all) => all.filter((one) => one.current || (device && one.hash !== device.hash)))
      say(device ? `${device.app} is signed out.` : 'All other devices are signed out.')
    } catch (error) {
      say(explain(error))
    }
  }
  return (
    <>
      <ul className="devices">
        {devices.map((device) => (
          <li key={device.hash}>
            <strong>{device.app}</strong> on {device.device}, {device.platform}
            <br />
            <small>
              {device.country}, last used {when(device.active)}
            </small>
            {device.current ? (
              <em> This one</em>
            ) : (
              <button aria-label={`Sign out ${device.app} on ${device.device}`} onClick={() => void signOut(device)}>
                Sign out
              </button>
            )}
          </li>
        ))}
      </ul>
      {devices.length > 1 && <button onClick={() => void signOut()}>Sign out all others</button>}
    </>
  )
}
