import { decodeConfig } from '#cni/protocol/decode.ts'
import { type CniEnvironment, readEnvironment } from '#cni/protocol/environment.ts'
import type { CniCommand, CniRequest } from '#cni/protocol/request.ts'

// A few words → what a runtime would give a plugin: variables, stdin, or the request that comes of both.

export function variables(command: CniCommand, more: CniEnvironment = {}): CniEnvironment {
  return {
    CNI_COMMAND: command,
    CNI_CONTAINERID: 'c1',
    CNI_NETNS: '/run/netns/c1',
    CNI_IFNAME: 'eth0',
    CNI_PATH: '/opt/cni/bin',
    ...more,
  }
}

export interface RequestWords {
  readonly command?: CniCommand
  readonly plugin?: string
  readonly env?: CniEnvironment
  /** On top of a name and the newest version. */
  readonly config?: object
}

export function requestOf({
  command = 'ADD',
  plugin = 'bridge',
  env = {},
  config = {},
}: RequestWords = {}): CniRequest {
  const stdin = JSON.stringify({ cniVersion: '1.1.0', name: 'net1', type: plugin, ...config })
  return {
    plugin,
    ...readEnvironment(variables(command, env)),
    config: decodeConfig(stdin, { command, type: plugin }),
  }
}
