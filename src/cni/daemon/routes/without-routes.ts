import { removeRoutes } from '#routes/removal.ts'
import { NetworkRefused } from '#system/network/network.ts'
import type { PluginMachine } from '../../answer.ts'

// A node that is to have another pod network → its routes to other nodes, the overlay and the rules for what leaves the cluster,
// gone. A daemon that still runs would lay them again.

/** Returns what was done, a sentence each; none where there was nothing. */
export async function withoutRoutes(machine: Pick<PluginMachine, 'networks' | 'kernel'>): Promise<readonly string[]> {
  try {
    const network = await machine.networks.open()
    try {
      const { routes, overlay } = await removeRoutes(network, machine.kernel)
      return [
        ...(routes === 0 ? [] : [`Removed ${routes} ${routes === 1 ? 'route' : 'routes'} to other nodes.`]),
        ...(overlay === 'none' ? [] : ['Removed the overlay.']),
      ]
    } finally {
      network.close()
    }
  } catch (error) {
    if (!(error instanceof NetworkRefused)) throw error
    return [`Left routes to other nodes, if there are any: ${error.message}.`]
  }
}
