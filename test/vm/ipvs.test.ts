import { machine } from './machine.ts'
import { ipvsEnds } from './suites/ipvs-ends.ts'
import { ipvsLife } from './suites/ipvs-life.ts'
import { ipvsProtocols } from './suites/ipvs-protocols.ts'
import { ipvsSetupSuite } from './suites/ipvs-setup.ts'
import { ipvsTraffic } from './suites/ipvs-traffic.ts'

// The first suite needs a kernel that has not loaded anything yet.
await machine(ipvsSetupSuite, ipvsTraffic, ipvsProtocols, ipvsLife, ipvsEnds)
