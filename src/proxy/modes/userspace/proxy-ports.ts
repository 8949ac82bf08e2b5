import { listListeners, openListenersOf } from '#dialects/relay.ts'
import type { ProxyPorts } from '#proxy/modes/mode.ts'
import { must } from '#system/must.ts'
import type { Flow } from '#system/ports.ts'
import type { Family } from '#values/address.ts'
import { isListener, listenerName } from './names.ts'

// Conntrack shows connections that end at our proxy ports; the endpoint behind a port may change while a connection
// lasts. A flow to a port of an earlier start leads nowhere, or to another Service by now. A flow to an endpoint comes
// from another mode, and is good as long as the endpoint is.

export function proxyPorts(family: Family): ProxyPorts {
  return {
    isListener,
    listeners: traffic => [listenerName(traffic, 'cluster'), listenerName(traffic, 'local')],
    async read(kernel) {
      const { stdout } = await must(kernel, listListeners(family))
      const names = new Map(openListenersOf(stdout).map(({ name, port }) => [`${name.split(' ', 1)[0]} ${port}`, name]))
      return ({ protocol, answeredByPort }: Flow) => names.get(`${protocol} ${answeredByPort}`)
    },
  }
}
