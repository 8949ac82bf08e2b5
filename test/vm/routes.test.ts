import { machine } from './machine.ts'
import { vxlansByCommands, vxlansOverNetlink } from './suites/network-vxlans.ts'
import { overlayByCommands, overlayInIpv6, overlayOverNetlink } from './suites/routes-overlay.ts'

await machine(vxlansOverNetlink, vxlansByCommands, overlayOverNetlink, overlayInIpv6, overlayByCommands)
