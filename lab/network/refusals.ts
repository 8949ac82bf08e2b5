import { anyCommand } from '#lab/any-command.ts'
import { must } from '#system/must.ts'
import type { Kernel } from '#system/ports.ts'
import { settings } from './namespaces.ts'

// A host → one whose refusals all arrive.

const LIMITS = ['icmp_msgs_per_sec', 'icmp_msgs_burst'].map(name => `/proc/sys/net/ipv4/${name}`)

/**
 * The kernel holds back ICMP in two ways: to one host all but a few a second, and to all hosts together whatever comes after 50 at
 * once, for 20 ms. A client that opens a connection every few milliseconds meets the second after each commit that has kept a
 * processor busy: its SYN is refused, and it does not hear of it.
 */
export async function letAllRefusalsArrive(kernel: Kernel): Promise<void> {
  await must(kernel, settings(0, ['ipv4/icmp_ratelimit']))
  // Kernels before 6.12 have the second limit only once for the whole machine: there it stays.
  await kernel.run(anyCommand(['tee', ...LIMITS], { input: '1000000\n' }))
}
