import { session } from '../../session.js'

export default async function Page() {
  return <p id="state">{JSON.stringify(await session())}</p>
}
