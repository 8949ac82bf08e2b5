import type { Suite } from './suite.ts'
import { ipvsEnds } from './suites/ipvs-ends.ts'
import { ipvsExplain } from './suites/ipvs-explain.ts'
import { ipvsLife } from './suites/ipvs-life.ts'
import { ipvsProtocols } from './suites/ipvs-protocols.ts'
import { ipvsSetupSuite } from './suites/ipvs-setup.ts'
import { ipvsStories } from './suites/ipvs-stories.ts'
import { ipvsTools } from './suites/ipvs-tools.ts'
import { ipvsTraffic } from './suites/ipvs-traffic.ts'
import { vlansByCommands, vlansOverNetlink } from './suites/network-vlans.ts'
import { vxlansByCommands, vxlansOverNetlink } from './suites/network-vxlans.ts'
import { iptablesHere, nftablesHere } from './suites/other-modes.ts'
import { podVlans } from './suites/pod-vlans.ts'
import { overlayByCommands, overlayInIpv6, overlayOverNetlink } from './suites/routes-overlay.ts'

// Everything that is checked inside. Who boots a machine says which of these it plays.

export const SUITES: readonly Suite[] = [
  ipvsSetupSuite,
  ipvsTraffic,
  ipvsLife,
  ipvsEnds,
  ipvsProtocols,
  ipvsStories,
  ipvsExplain,
  ipvsTools,
  iptablesHere,
  nftablesHere,
  podVlans,
  vlansOverNetlink,
  vlansByCommands,
  vxlansOverNetlink,
  vxlansByCommands,
  overlayOverNetlink,
  overlayInIpv6,
  overlayByCommands,
]
