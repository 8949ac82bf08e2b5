import type { Conversation } from './conversation.ts'
import * as messages from './messages/neighbour-messages.ts'
import type { NeighbourTable } from './neighbours.ts'
import { refuseBadMac } from './refusal.ts'

// Neighbours and tunnels of a namespace's links, over netlink.

/** `indexOf` fails with NetworkRefused where there is no such link. */
export function netlinkNeighbours(
  conversation: Conversation,
  indexOf: (link: string, doing: string) => number,
): NeighbourTable {
  return {
    async list(link) {
      const doing = `list neighbours of "${link}"`
      const index = indexOf(link, doing)
      return conversation.list(messages.ALL_NEIGHBOURS, doing, body => messages.neighboursOf(body, index))
    },
    async set(link, neighbour) {
      const doing = `set neighbour ${neighbour.address} of "${link}"`
      refuseBadMac(doing, neighbour.mac)
      conversation.change(messages.setNeighbour(indexOf(link, doing), neighbour), doing)
    },
    async delete(link, neighbour) {
      const doing = `delete neighbour ${neighbour.address} of "${link}"`
      const request = messages.deletedNeighbour(indexOf(link, doing), neighbour)
      return conversation.deleted(request, { doing, absent: ['ENOENT'] })
    },
    async tunnels(link) {
      const doing = `list tunnels of "${link}"`
      const index = indexOf(link, doing)
      return conversation.list(messages.ALL_TUNNELS, doing, body => messages.tunnelsOf(body, index))
    },
    async setTunnel(link, tunnel) {
      const doing = `set tunnel to ${tunnel.host} of "${link}"`
      refuseBadMac(doing, tunnel.mac)
      conversation.change(messages.setTunnel(indexOf(link, doing), tunnel), doing)
    },
    async deleteTunnel(link, tunnel) {
      const doing = `delete tunnel to ${tunnel.host} of "${link}"`
      refuseBadMac(doing, tunnel.mac)
      const request = messages.deletedTunnel(indexOf(link, doing), tunnel)
      return conversation.deleted(request, { doing, absent: ['ENOENT'] })
    },
  }
}
