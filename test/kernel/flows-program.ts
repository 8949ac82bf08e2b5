import { readdirSync } from 'node:fs'
import { netlinkFlows } from '#system/network/netlink-flows.ts'
import type { StaleFlows } from '#system/ports.ts'

// Runs where it has no rights: asks three times to have connections forgotten, and prints why it was refused, then how many more
// files it has open after the last time than after the first.

const stale: StaleFlows = { family: 'ipv6', protocol: 'udp', by: 'toPort', ports: new Set([53]), isStale: () => true }
const flows = netlinkFlows()!
const open: number[] = []
for (let times = 0; times < 3; times++) {
  const said = await flows.forget(stale).then(String, error => (error as Error).message)
  open.push(readdirSync('/proc/self/fd').length)
  console.log(said)
}
console.log(open.at(-1)! - open[0]!)
