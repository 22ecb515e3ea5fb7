'use client'

import { type FormEvent, useEffect, useRef, useState, useSyncExternalStore } from 'react'

import { explain, tg } from '@/lib/tg'

/** By a code to one's phone, by a QR code, and with a password where the account has one. */
export function SignIn({ next }: { next: string }) {
  const state = useSyncExternalStore(tg.login.subscribe, tg.login.getState, tg.login.getState)
  const [byQr, setByQr] = useState(false)
  useEffect(() => {
    // A whole page load: what the server renders is somebody else's now.
    if (state.step === 'done') location.assign(next)
  }, [state, next])
  return (
    <main className="sign-in">
      <h1>Sign in to Telegram</h1>
      {state.step === 'phone' && (byQr ? <Scan /> : <Phone />)}
      {state.step === 'code' && <Code />}
      {state.step === 'password' && <Password hint={state.hint} />}
      {state.step === 'done' && <p role="status">Welcome, {state.user.first_name ?? 'you'}.</p>}
      {state.step === 'phone' && (
        <button className="link" onClick={() => setByQr(!byQr)}>
          {byQr ? 'Use a phone number' : 'Use a QR code'}
        </button>
      )}
    </main>
  )
}

function Step({ label, button, submit, ...input }: { label: string; button: string; submit: (value: string) => Promise<unknown> } & React.ComponentProps<'input'>) {
  const [error, setError] = useState('')
  const [isBusy, setBusy] = useState(false)
  const field = useRef<HTMLInputElement>(null)
  useEffect(() => field.current?.focus(), [])
  async function onSubmit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault()
    setBusy(true)
    setError('')
    await submit(field.current!.value).catch((failure: unknown) => {
      setError(explain(failure))
      setBusy(false)
      field.current?.select()
    })
  }
  return (
    <form onSubmit={onSubmit}>
      <label>
        {label}
        <input ref={field} required aria-invalid={error !== ''} aria-describedby="failure" {...input} />
      </label>
      <p id="failure" role="alert">
        {error}
      </p>
      <button disabled={isBusy}>{button}</button>
    </form>
  )
}

function Phone() {
  return (
    <Step
      label="Phone number"
      button="Send me a code"
      type="tel"
      name="phone"
      autoComplete="tel"
      placeholder="+1 555 123 4567"
      submit={(phone) => tg.login.sendCode(phone)}
    />
  )
}

function Code() {
  const state = tg.login.getState()
  const sent = state.step === 'code' ? state.sent : undefined
  const [seconds, setSeconds] = useState(sent?.timeout ?? 0)
  const [error, setError] = useState('')
  useEffect(() => {
    setSeconds(sent?.timeout ?? 0)
    const timer = setInterval(() => setSeconds((left) => Math.max(0, left - 1)), 1000)
    return () => clearInterval(timer)
  }, [sent])
  const again = () => tg.login.resend().catch((failure: unknown) => setError(explain(failure)))
  return (
    <>
      <p>{sent?.type === 'app' ? 'Telegram has sent a code to your other devices.' : 'A code is on its way to you.'}</p>
      <Step
        label="Code"
        button="Sign in"
        name="code"
        autoComplete="one-time-code"
        inputMode={sent?.type === 'sms_word' || sent?.type === 'sms_phrase' ? 'text' : 'numeric'}
        submit={(code) => tg.login.submitCode(code)}
      />
      <p role="alert">{error}</p>
      {sent?.next_type && (
        <button className="link" disabled={seconds > 0} onClick={again}>
          Send it again{seconds > 0 && ` in ${seconds} s`}
        </button>
      )}
      <button className="link" onClick={() => void tg.login.cancel().catch((failure: unknown) => setError(explain(failure)))}>
        Another number
      </button>
    </>
  )
}

function Password({ hint }: { hint: string | null }) {
  return (
    <>
      <p>Your account has two-step verification.</p>
      <Step
        label={hint ? `Password (hint: ${hint})` : 'Password'}
        button="Sign in"
        type="password"
        name="password"
        autoComplete="current-password"
        submit={(password) => tg.login.submitPassword(password)}
      />
    </>
  )
}

function Scan() {
  const [svg, setSvg] = useState('')
  const [error, setError] = useState('')
  const [attempt, setAttempt] = useState(0)
  useEffect(() => {
    const ended = new AbortController()
    async function show() {
      for await (const step of tg.login.qr(ended.signal)) {
        if (step.step === 'scan') setSvg(step.svg)
        else if (step.step === 'expired') setError('Nobody has scanned the code in time.')
      }
    }
    show().catch((failure: unknown) => ended.signal.aborted || setError(explain(failure)))
    return () => ended.abort()
  }, [attempt])
  return (
    <>
      <p>In Telegram on your phone: Settings, Devices, Link Desktop Device.</p>
      {error ? (
        <>
          <p role="alert">{error}</p>
          <button onClick={() => (setError(''), setSvg(''), setAttempt(attempt + 1))}>Show another code</button>
        </>
      ) : (
        // The service's own SVG: a path, and nothing of anybody else's.
        <div className="qr" role="img" aria-label="QR code to sign in" dangerouslySetInnerHTML={{ __html: svg }} />
      )}
    </>
  )
}
