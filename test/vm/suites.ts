import type { Suite } from './suite.ts'
import { ipvsEnds } from './suites/ipvs-ends.ts'
import { ipvsLife } from './suites/ipvs-life.ts'
import { ipvsProtocols } from './suites/ipvs-protocols.ts'
import { ipvsSetupSuite } from './suites/ipvs-setup.ts'
import { ipvsStories } from './suites/ipvs-stories.ts'
import { ipvsTraffic } from './suites/ipvs-traffic.ts'
import { iptablesHere, nftablesHere } from './suites/other-modes.ts'

// Everything that is checked inside. Who boots a machine says which of these it plays.

export const SUITES: readonly Suite[] = [
  ipvsSetupSuite,
  ipvsTraffic,
  ipvsLife,
  ipvsEnds,
  ipvsProtocols,
  ipvsStories,
  iptablesHere,
  nftablesHere,
]
