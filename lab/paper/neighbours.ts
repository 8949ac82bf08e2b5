import type { Neighbour, NeighbourTable, Tunnel } from '#system/network/neighbours.ts'

// Neighbours and tunnels in memory, for one link of a node on paper.

export class PaperNeighbours implements NeighbourTable {
  readonly byAddress = new Map<string, Neighbour>()
  readonly byMac = new Map<string, Tunnel>()

  async list(): Promise<readonly Neighbour[]> {
    return [...this.byAddress.values()]
  }

  async set(_: string, neighbour: Neighbour): Promise<void> {
    this.byAddress.set(neighbour.address, neighbour)
  }

  async delete(_: string, { address }: Neighbour): Promise<boolean> {
    return this.byAddress.delete(address)
  }

  async tunnels(): Promise<readonly Tunnel[]> {
    return [...this.byMac.values()]
  }

  async setTunnel(_: string, tunnel: Tunnel): Promise<void> {
    this.byMac.set(tunnel.mac, tunnel)
  }

  async deleteTunnel(_: string, { mac }: Tunnel): Promise<boolean> {
    return this.byMac.delete(mac)
  }
}
