import { ADDRESS, ANYTHING, FLAG, type Keys, list, object, SWITCH, TEXT } from './shape.ts'

// The keys that every configuration may have, whichever plugins are in it.

export const DNS_KEYS: Keys = { nameservers: list(ADDRESS), domain: TEXT, search: list(TEXT), options: list(TEXT) }

/** Of a file with several plugins. */
export const LIST_KEYS: Keys = {
  cniVersion: TEXT,
  cniVersions: list(TEXT),
  name: TEXT,
  disableCheck: SWITCH,
  disableGC: SWITCH,
  loadOnlyInlinedPlugins: SWITCH,
  plugins: list(ANYTHING),
}

const CAPABILITIES = [
  ...['portMappings', 'ips', 'ipRanges', 'bandwidth', 'dns', 'mac', 'aliases', 'deviceID', 'infinibandGUID'],
  ...['cgroupPath', 'podAnnotations'],
]

/** What a runtime puts beside the keys of the file: in a file, these are a mistake. */
export const RUNTIME_KEYS: readonly string[] = ['runtimeConfig', 'prevResult']

/** Of each plugin. */
export const PLUGIN_KEYS: Keys = {
  cniVersion: TEXT,
  name: TEXT,
  type: TEXT,
  capabilities: object(Object.fromEntries(CAPABILITIES.map(name => [name, FLAG]))),
  dns: object(DNS_KEYS),
  args: ANYTHING,
  ...Object.fromEntries(RUNTIME_KEYS.map(key => [key, ANYTHING])),
}
