import type { CniPlugin } from '#cni/plugins/plugin.ts'
import { CniError, CODE } from '#cni/protocol/error.ts'
import { shownJson } from '#cni/protocol/json.ts'
import type { NetworkConfig } from '#cni/protocol/request.ts'

// The name of an executable, or a `type` → the plugin of ours that it means. `switchyard` is not a plugin but the name of all
// of them: of an interface it is `bridge`, or what the key `plugin` says; below `ipam` it is `host-local`.

export const OWN_NAME = 'switchyard'
const INTERFACES = 'bridge'
const ADDRESSES = 'host-local'
/** The others make interfaces: below `ipam` they would ask themselves for addresses. */
const GIVE_ADDRESSES: readonly string[] = [ADDRESSES, 'dhcp']

export class OwnPlugins {
  readonly #byType: ReadonlyMap<string, CniPlugin>

  constructor(plugins: readonly CniPlugin[]) {
    this.#byType = new Map(plugins.map(plugin => [plugin.type, plugin]))
  }

  get types(): readonly string[] {
    return [...this.#byType.keys()]
  }

  /** For `ipam.type`. */
  ipam(type: string): CniPlugin | undefined {
    const plugin = this.#byType.get(type === OWN_NAME ? ADDRESSES : type)
    if (plugin === undefined || GIVE_ADDRESSES.includes(plugin.type)) return plugin
    const others = this.types.filter(known => GIVE_ADDRESSES.includes(known))
    const details = `plugins of ours that do: ${others.join(', ')}`
    throw new CniError(CODE.config, `ipam.type: ${JSON.stringify(type)} gives no addresses`, details)
  }

  /** For a `type` of an interface. */
  attaching(type: string, config: Pick<NetworkConfig, 'raw'>): CniPlugin | undefined {
    return type === OWN_NAME ? this.#chosen(config) : this.#byType.get(type)
  }

  /** For the name of an executable that was started: `switchyard` may have been meant for either. */
  started(name: string, config: Pick<NetworkConfig, 'raw' | 'type' | 'ipam'>): CniPlugin {
    const isIpam = name === OWN_NAME && config.type !== OWN_NAME && config.ipam?.type === OWN_NAME
    const plugin = isIpam ? this.ipam(name) : this.attaching(name, config)
    if (plugin !== undefined) return plugin
    throw new CniError(
      CODE.config,
      `${JSON.stringify(name)} is no plugin of Switchyard, which has ${this.types.join(', ')}`,
    )
  }

  #chosen({ raw }: Pick<NetworkConfig, 'raw'>): CniPlugin | undefined {
    // Null and empty text are as good as absent, as for all keys.
    const word = raw.plugin === '' ? INTERFACES : (raw.plugin ?? INTERFACES)
    const plugin = typeof word === 'string' ? this.#byType.get(word) : undefined
    if (plugin !== undefined) return plugin
    throw new CniError(CODE.config, `plugin: ${shownJson(word)} is none of ${this.types.join(', ')}`)
  }
}
