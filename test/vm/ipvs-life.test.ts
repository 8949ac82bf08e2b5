import { machine } from './machine.ts'
import { ipvsEnds } from './suites/ipvs-ends.ts'
import { ipvsLife } from './suites/ipvs-life.ts'

await machine(ipvsLife, ipvsEnds)
