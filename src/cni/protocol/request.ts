import type { CniDns, CniResult } from './result.ts'
import type { CniVersion } from './versions.ts'

// Environment and stdin, once they are understood.

export type CniCommand = 'ADD' | 'DEL' | 'CHECK' | 'STATUS' | 'GC' | 'VERSION'

export type JsonObject = Readonly<Record<string, unknown>>

/** One interface of one container. */
export interface Attachment {
  readonly container: string
  readonly ifname: string
}

export interface CniRequest {
  readonly command: CniCommand
  /** The name of the executable that was called. */
  readonly plugin: string
  /** Empty for STATUS, GC and VERSION. */
  readonly container: string
  readonly ifname: string
  /** A path; undefined where the runtime gave none, as for a second DEL. */
  readonly netns: string | undefined
  /** CNI_ARGS. */
  readonly args: ReadonlyMap<string, string>
  /** CNI_PATH: where executables of other plugins are. */
  readonly path: readonly string[]
  /** CNI_NETNS_OVERRIDE: the container may share the node's own namespace. */
  readonly ownNamespace?: 'allowed'
  readonly config: NetworkConfig
}

export interface NetworkConfig {
  readonly cniVersion: CniVersion
  readonly name: string
  readonly type: string
  readonly ipam: JsonObject | undefined
  readonly dns: CniDns
  readonly prevResult: CniResult | undefined
  /** Of GC. Undefined where the key is missing, which does not mean that none is valid. */
  readonly validAttachments: readonly Attachment[] | undefined
  /** All that stood on stdin: a plugin decodes its own keys from it, a delegate gets it whole. */
  readonly raw: JsonObject
}
