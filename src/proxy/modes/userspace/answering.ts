import type { Flow } from '#dialects/conntrack.ts'
import { listListeners, openListenersOf } from '#dialects/relay.ts'
import type { Answering } from '#proxy/modes/mode.ts'
import { must } from '#system/must.ts'
import type { Family } from '#values/address.ts'
import { listenerName } from './names.ts'

// What the kernel sees of a connection ends at one of our proxy ports: whoever is behind it may change while it goes on. One
// that leads to a port of an earlier start leads nowhere, or to another Service by now. One that leads to an endpoint is as
// another mode has left it, and good as long as the endpoint is.

export function answering(family: Family): Answering {
  return {
    names: traffic => [listenerName(traffic, 'cluster'), listenerName(traffic, 'local')],
    async look(kernel) {
      const { stdout } = await must(kernel, listListeners(family))
      const names = new Map(openListenersOf(stdout).map(({ name, port }) => [`${name.split(' ', 1)[0]} ${port}`, name]))
      return ({ protocol, answeredByPort }: Flow) => names.get(`${protocol} ${answeredByPort}`)
    },
  }
}
