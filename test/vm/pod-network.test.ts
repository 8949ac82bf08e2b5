import { machine } from './machine.ts'
import { vlansByCommands, vlansOverNetlink } from './suites/network-vlans.ts'
import { vxlansByCommands, vxlansOverNetlink } from './suites/network-vxlans.ts'
import { podVlans } from './suites/pod-vlans.ts'
import { overlayByCommands, overlayInIpv6, overlayOverNetlink } from './suites/routes-overlay.ts'

await machine(
  ...[vlansOverNetlink, vlansByCommands, podVlans],
  ...[vxlansOverNetlink, vxlansByCommands, overlayOverNetlink, overlayInIpv6, overlayByCommands],
)
