import { machine } from './machine.ts'
import { ipvsExplain } from './suites/ipvs-explain.ts'
import { ipvsTools } from './suites/ipvs-tools.ts'

await machine(ipvsTools, ipvsExplain)
