import { cidrFamily } from '#values/cidr.ts'
import { DEFAULT_FLAGS, type DetectLocal, type Flags } from '../support/flags.ts'
import { cidr } from '../support/objects.ts'
import { type Line, StoryError } from './lines.ts'
import { cidrAt, oneOf, unknown, wordsOf } from './terms.ts'

// `flags --masquerade-all --nodeport-addresses=primary` → flags, spelled as on kube-proxy's command line.

/** For a story without a flags line: pods are detected by their addresses, in both families. */
export const STORY_FLAGS: Flags = {
  ...DEFAULT_FLAGS,
  localPods: { by: 'cluster-cidr', cidrs: [cidr('10.244.0.0/16'), cidr('fd00:244::/32')] },
}

export function flagsAt(line: Line): Flags {
  const given = new Map<string, string>()
  for (const word of wordsOf(line.text).slice(1)) {
    const [, name, value = 'true'] = /^--([a-z-]+)(?:=(.*))?$/.exec(word) ?? []
    if (name === undefined || !KNOWN.includes(name)) throw unknown(line, word, `a flag of ${KNOWN.join(', ')}`)
    given.set(name, value)
  }
  const is = (name: string, otherwise: boolean): boolean =>
    given.has(name) ? oneOf(line, given.get(name), ['true', 'false']) === 'true' : otherwise
  const bit = Number(given.get('iptables-masquerade-bit') ?? STORY_FLAGS.masqueradeBit)
  if (!(Number.isInteger(bit) && bit >= 0 && bit <= 31))
    throw new StoryError(line, 'a masquerade bit is a number from 0 to 31')
  return {
    nodeName: given.get('hostname-override') ?? STORY_FLAGS.nodeName,
    localPods: localPods(line, given),
    masqueradeAll: is('masquerade-all', false),
    nodePortAddresses: nodePortAddresses(line, given.get('nodeport-addresses')),
    localhostNodePorts: is('iptables-localhost-nodeports', true),
    masqueradeBit: bit,
  }
}

const KNOWN: readonly string[] = [
  'hostname-override',
  'cluster-cidr',
  'detect-local-mode',
  'pod-bridge-interface',
  'pod-interface-name-prefix',
  'masquerade-all',
  'nodeport-addresses',
  'iptables-localhost-nodeports',
  'iptables-masquerade-bit',
]

const MODES = ['ClusterCIDR', 'NodeCIDR', 'BridgeInterface', 'InterfaceNamePrefix'] as const

function localPods(line: Line, given: ReadonlyMap<string, string>): DetectLocal {
  switch (oneOf(line, given.get('detect-local-mode') ?? 'ClusterCIDR', MODES)) {
    case 'ClusterCIDR': {
      const cidrs = given.get('cluster-cidr')
      return cidrs === undefined ? STORY_FLAGS.localPods : { by: 'cluster-cidr', cidrs: ranges(line, cidrs) }
    }
    case 'NodeCIDR':
      return { by: 'node-cidr' }
    case 'BridgeInterface':
      return { by: 'bridge', name: needed(line, given, 'pod-bridge-interface') }
    case 'InterfaceNamePrefix':
      return { by: 'prefix', prefix: needed(line, given, 'pod-interface-name-prefix') }
  }
}

function needed(line: Line, given: ReadonlyMap<string, string>, name: string): string {
  const value = given.get(name)
  if (value === undefined || value === '') throw new StoryError(line, `this detect-local-mode needs --${name}=NAME`)
  return value
}

function nodePortAddresses(line: Line, value: string | undefined): Flags['nodePortAddresses'] {
  if (value === undefined) return []
  return value === 'primary' ? 'primary' : ranges(line, value)
}

function ranges(line: Line, value: string): ReturnType<typeof cidrAt>[] {
  const words = value === '' ? [] : value.split(',')
  return words.map(word => cidrAt(line, word)).sort((a, b) => cidrFamily(a).localeCompare(cidrFamily(b)))
}
