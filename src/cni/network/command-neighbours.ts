import * as words from '#dialects/iproute/neighbours.ts'
import type { Neighbour, NeighbourTable } from '#system/network/neighbours.ts'
import { refuseBadMac } from '#system/network/refusal.ts'
import type { Command, Outcome } from '#system/ports.ts'
import { FAMILIES } from '#values/address.ts'

// Neighbours and tunnels of a namespace's links, by the commands of iproute2.

/** Each fails with NetworkRefused; `doing` completes "cannot …". */
export interface NeighbourCommands {
  known(link: string, doing: string): Promise<unknown>
  must(command: Command, doing: string): Promise<Outcome>
  /** False where the refusal is this one. */
  deleted(command: Command, deletion: { readonly doing: string; readonly absent: string }): Promise<boolean>
}

export function commandNeighbours({ known, must, deleted }: NeighbourCommands): NeighbourTable {
  return {
    async list(link) {
      const doing = `list neighbours of "${link}"`
      await known(link, doing)
      const found: Neighbour[] = []
      for (const family of FAMILIES)
        found.push(...words.neighboursOf((await must(words.listNeighbours(link, family), doing)).stdout))
      return found
    },
    async set(link, neighbour) {
      const doing = `set neighbour ${neighbour.address} of "${link}"`
      refuseBadMac(doing, neighbour.mac)
      await known(link, doing)
      await must(words.setNeighbour(link, neighbour), doing)
    },
    async delete(link, neighbour) {
      const doing = `delete neighbour ${neighbour.address} of "${link}"`
      await known(link, doing)
      return deleted(words.deleteNeighbour(link, neighbour), { doing, absent: 'ENOENT' })
    },
    async tunnels(link) {
      const doing = `list tunnels of "${link}"`
      await known(link, doing)
      return words.tunnelsOf((await must(words.listTunnels(link), doing)).stdout)
    },
    async setTunnel(link, tunnel) {
      const doing = `set tunnel to ${tunnel.host} of "${link}"`
      refuseBadMac(doing, tunnel.mac)
      await known(link, doing)
      await must(words.setTunnel(link, tunnel), doing)
    },
    async deleteTunnel(link, tunnel) {
      const doing = `delete tunnel to ${tunnel.host} of "${link}"`
      refuseBadMac(doing, tunnel.mac)
      await known(link, doing)
      return deleted(words.deleteTunnel(link, tunnel), { doing, absent: 'ENOENT' })
    },
  }
}
