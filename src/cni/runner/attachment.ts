import { isJsonObject, shownJson } from '#cni/protocol/json.ts'
import type { JsonObject } from '#cni/protocol/request.ts'
import type { CniResult } from '#cni/protocol/result.ts'
import { resultJson } from '#cni/protocol/shapes/print-result.ts'
import { supportedVersion } from '#cni/protocol/versions.ts'
import type { NetworkList } from './network-list.ts'

// A network, one interface of one container → what each plugin of the network gets by its environment and on stdin.

export interface RuntimeAttachment {
  readonly container: string
  readonly ifname: string
  /** Empty where the container has none any more. */
  readonly netns: string
  readonly args: readonly (readonly [string, string])[]
  /** What the runtime has for capabilities: `portMappings`, `ips` … */
  readonly capabilities: JsonObject
}

export function attachmentVariables({
  container,
  ifname,
  netns,
  args,
}: RuntimeAttachment): Readonly<Record<string, string>> {
  return {
    CNI_CONTAINERID: container,
    CNI_IFNAME: ifname,
    CNI_NETNS: netns,
    CNI_ARGS: args.map(([key, value]) => `${key}=${value}`).join(';'),
  }
}

/** Name and version are the list's, whatever a plugin in it says. */
export function pluginConfig(network: NetworkList, plugin: JsonObject, prevResult?: CniResult): JsonObject {
  return {
    ...plugin,
    name: network.name,
    cniVersion: network.cniVersion,
    ...(prevResult && { prevResult: resultJson(prevResult, supportedVersion(network.cniVersion)) }),
  }
}

/** Of a capability a plugin hears only where it declares it. */
export function withCapabilities(config: JsonObject, capabilities: JsonObject): JsonObject {
  const declared = config.capabilities ?? {}
  if (!isJsonObject(declared)) throw new Error(`capabilities: ${shownJson(declared)} is not an object in braces`)
  const given = Object.entries(declared).filter(([name, isOn]) => isOn === true && Object.hasOwn(capabilities, name))
  if (given.length === 0) return config
  return { ...config, runtimeConfig: Object.fromEntries(given.map(([name]) => [name, capabilities[name]])) }
}
