import { bridgeConfiguration } from '#cni/plugins/bridge/configuration.ts'
import { portmapConfig } from '#cni/plugins/portmap/mapping.ts'
import { CniError, ConfigRefused } from '#cni/protocol/error.ts'
import type { CniRequest, JsonObject } from '#cni/protocol/request.ts'
import { NEWEST } from '#cni/protocol/versions.ts'
import { isOn, memberOf, nodeAt, type ObjectNode, plainOf, textAt } from '../json/node.ts'
import { below, type Place } from '../keys/check-keys.ts'

// A plugin of ours reads its configuration as it would at an ADD → what it would refuse, as far as that has not been named.

const READERS: Readonly<Record<string, (request: CniRequest) => unknown>> = {
  bridge: bridgeConfiguration,
  portmap: portmapConfig,
}

export function checkByReading(node: ObjectNode, named: string, place: Place): void {
  const type = named === 'switchyard' ? textAt(node, 'plugin') || 'bridge' : named
  try {
    if (Object.hasOwn(READERS, type)) READERS[type]!(requestWith(node, type))
  } catch (error) {
    if (!(error instanceof CniError)) throw error
    const problems = error instanceof ConfigRefused ? error.problems : [error.message]
    for (const problem of problems) addProblem(node, problem, place)
  }
  if (type === 'portmap') checkCapability(node, place)
}

function requestWith(node: ObjectNode, type: string): CniRequest {
  const ipam = memberOf(node, 'ipam')?.value
  return {
    ...{ command: 'ADD', plugin: type, container: 'c', ifname: 'eth0', netns: '/n', args: new Map(), path: [] },
    config: {
      ...{ cniVersion: NEWEST, name: 'net', type, dns: {}, prevResult: undefined, validAttachments: undefined },
      ipam: ipam?.kind === 'object' ? (plainOf(ipam) as JsonObject) : undefined,
      raw: plainOf(node) as JsonObject,
    },
  }
}

/** A problem begins with the path of its field, where it has one. */
function addProblem(node: ObjectNode, problem: string, { findings, path }: Place): void {
  const [, field = ''] = /^([\w.[\]]+):? /.exec(problem) ?? []
  const { at, path: written, isExact } = nodeAt(node, field)
  // Of a field that is not there, what it is missing from may be.
  const full = below(path, isExact ? written : field)
  if (written === '') findings.refuse(node.at, path, path === '' ? problem : `${path}: ${problem}`)
  else if (!findings.isRefused(full)) findings.refuse(at, full, below(path, problem))
}

function checkCapability(node: ObjectNode, { findings, path }: Place): void {
  if (isOn(memberOf(node, 'capabilities')?.value, 'portMappings')) return
  const full = below(path, 'capabilities')
  const sentence = `${full}: without {"portMappings": true} the runtime gives portmap no ports to map`
  findings.doubt(node.at, full, sentence)
}
