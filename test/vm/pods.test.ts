import { machine } from './machine.ts'
import { vlansByCommands, vlansOverNetlink } from './suites/network-vlans.ts'
import { podVlans } from './suites/pod-vlans.ts'

await machine(vlansOverNetlink, vlansByCommands, podVlans)
