import { must } from '#system/must.ts'
import type { Kernel } from '#system/ports.ts'
import { FAMILIES, type Family } from '#values/address.ts'
import { settings } from './namespaces.ts'

// A namespace fresh from the kernel → one with the settings of a host of the lab.

/** Makes the node a router, in the families it turns out to have. */
export async function forwards(node: Kernel): Promise<readonly Family[]> {
  await must(node, settings(1, ['ipv4/ip_forward']))
  const { code } = await node.run(settings(1, ['ipv6/conf/all/forwarding']))
  return code === 0 ? FAMILIES : ['ipv4']
}

/** Whether the rules of a node are asked about what passes its bridges, as they are from now on where this kernel can. */
export async function filtersBridges(node: Kernel, wanted: 0 | 1 = 1): Promise<'yes' | 'no'> {
  const calls = ['bridge/bridge-nf-call-iptables', 'bridge/bridge-nf-call-ip6tables']
  const { code } = await node.run(settings(wanted, calls))
  return wanted === 1 && code === 0 ? 'yes' : 'no'
}

/**
 * Before the interfaces are made, because they inherit it. Addresses that are first tried for a second (DAD) would lose
 * the first packets; redirects would teach pods a way around the node; the host's rp_filter is not ours to inherit.
 */
export async function calm(host: Kernel, families: readonly Family[]): Promise<void> {
  const each = (names: readonly string[]) =>
    names.flatMap(name => [name.replace('*', 'all'), name.replace('*', 'default')])
  const ipv4 = each(['ipv4/conf/*/rp_filter', 'ipv4/conf/*/accept_redirects', 'ipv4/conf/*/send_redirects'])
  const ipv6 = each(['ipv6/conf/*/disable_ipv6', 'ipv6/conf/*/accept_dad', 'ipv6/conf/*/accept_redirects'])
  await must(host, settings(0, families.includes('ipv6') ? [...ipv4, ...ipv6] : ipv4))
}
