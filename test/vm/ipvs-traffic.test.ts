import { machine } from './machine.ts'
import { ipvsSetupSuite } from './suites/ipvs-setup.ts'
import { ipvsTraffic } from './suites/ipvs-traffic.ts'

// The first suite needs a kernel that has not loaded anything yet.
await machine(ipvsSetupSuite, ipvsTraffic)
