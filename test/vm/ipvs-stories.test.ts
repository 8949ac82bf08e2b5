import { machine } from './machine.ts'
import { ipvsStories } from './suites/ipvs-stories.ts'

await machine(ipvsStories)
