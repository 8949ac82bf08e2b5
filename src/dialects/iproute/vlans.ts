import type { LinkVlan } from '#system/network/network.ts'
import type { VlanRun } from '#system/network/vlan-runs.ts'
import type { Command } from '#system/ports.ts'
import { jsonOf } from './words.ts'

// VLANs of a bridge and its ports → the words of `bridge vlan`, and what it prints → VLANs.

/** Of all ports and bridges: asked for one without any, some versions answer nothing and others fail. */
export const LIST_VLANS: Command = { does: 'other', argv: ['bridge', '-json', '-compressvlans', 'vlan', 'show'] }

export function vlansOf(stdout: string, link: string): readonly LinkVlan[] {
  const printed = jsonOf(stdout) as readonly PrintedPort[]
  const own = printed.filter(({ ifname }) => ifname === link).flatMap(({ vlans }) => vlans)
  return own.flatMap(({ vlan, vlanEnd = vlan, flags = [] }) =>
    Array.from({ length: vlanEnd - vlan + 1 }, (_, i) => ({
      id: vlan + i,
      isUntagged: flags.includes('Egress Untagged'),
      isPvid: flags.includes('PVID'),
    })),
  )
}

export interface VlanPort {
  readonly name: string
  readonly kind: string
}

export function changeVlans(verb: 'add' | 'delete', { name, kind }: VlanPort, run: VlanRun): Command {
  const id = run.first === run.last ? String(run.first) : `${run.first}-${run.last}`
  const flags = [...(run.isPvid ? ['pvid'] : []), ...(run.isUntagged ? ['untagged'] : [])]
  const own = kind === 'bridge' ? ['self'] : []
  return { does: 'write', argv: ['bridge', 'vlan', verb, 'dev', name, 'vid', id, ...flags, ...own] }
}

interface PrintedPort {
  readonly ifname: string
  readonly vlans: readonly { readonly vlan: number; readonly vlanEnd?: number; readonly flags?: readonly string[] }[]
}
