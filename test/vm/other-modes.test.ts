import { machine } from './machine.ts'
import { iptablesHere, nftablesHere } from './suites/other-modes.ts'

await machine(iptablesHere, nftablesHere)
