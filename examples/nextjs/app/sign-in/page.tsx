import type { Metadata } from 'next'

import { SignIn } from '@/components/sign-in'

export const metadata: Metadata = { title: 'Sign in' }

export default async function Page({ searchParams }: { searchParams: Promise<{ next?: string }> }) {
  const { next = '/' } = await searchParams
  // A path of ours, and no other host's.
  return <SignIn next={/^\/(?![/\\])/.test(next) ? next : '/'} />
}
