import { accessSync, constants, existsSync, statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { clusterIPRanges, nodePortRange, type ServiceRangeFlags } from '#lab/api-server/services/service-ranges.ts'
import { type Cidr, cidrFamily, overlaps, parseCidr } from '#values/cidr.ts'
import { CLUSTER_CIDRS, LINK_RANGES, MOST_NODES } from '../link.ts'
import { RING_RANGE } from '../node/program-flags.ts'

// The words behind `npm start --` → what the cluster is to be, and those that are of `switchyard run`; or all that is wrong.

export interface SessionOptions {
  readonly nodes: number
  readonly ipam: 'node' | 'ring'
  readonly runtime: 'namespaces' | 'containerd'
  readonly services: ServiceRangeFlags
  readonly install: 'if-missing' | 'never'
  readonly kubectl: 'as-it-is' | 'wanted'
  readonly output: 'all' | 'quiet'
  /** A command line that runs beside the cluster, which ends with it. */
  readonly exec?: string
  readonly database?: string
  /** The folder of a built program. */
  readonly dist?: string
}

export interface SessionFlags {
  readonly options: SessionOptions
  /** Of `switchyard run`. */
  readonly rest: readonly string[]
  readonly problems: readonly string[]
}

interface Flag {
  /** Absent: the flag is a switch. */
  readonly value?: string
  readonly help: string
}

export const FLAGS = {
  nodes: { value: 'N', help: 'How many nodes; 2 without it.' },
  ipam: {
    value: 'node|ring',
    help: 'Where addresses of pods come from: each Node has a range, or the nodes divide 10.32.0.0/12 among themselves.',
  },
  runtime: {
    value: 'namespaces|containerd',
    help: 'What pods are: a network namespace with a small program in it, or containers of containerd.',
  },
  database: {
    value: 'PATH',
    help: 'Keep the objects of the cluster in this file: the next start with it has them again.',
  },
  dist: {
    value: 'FOLDER',
    help: 'Run the program in this folder, as "npm run build" makes it; without it, one is built from the sources.',
  },
  exec: {
    value: 'COMMAND',
    help: 'Show the tour, run this command with KUBECONFIG set, and end with its exit status.',
  },
  quiet: { help: 'No tour and no progress: only what goes wrong, and what --exec prints.' },
  kubectl: { help: "Install kubectl where it is missing: Debian's kubernetes-client, 8 MB." },
  'no-install': { help: 'Install nothing: where a tool is missing, say which and stop.' },
  'service-cluster-ip-range': {
    value: 'RANGE',
    help: 'What the API server gives to Services, as with kube-apiserver; 10.96.0.0/12,fd10:96::/112 without it.',
  },
  'service-node-port-range': { value: 'RANGE', help: 'Its node ports; 30000-32767 without it.' },
} as const satisfies Readonly<Record<string, Flag>>

type Name = keyof typeof FLAGS
type Given = Partial<Record<Name, string>>

const PROGRAM = 'switchyard.js'

/** What the cluster says to the agents itself. */
const OWN_OF_CLUSTER: Readonly<Record<string, string>> = {
  config: 'the cluster has several nodes; give the settings as flags',
  kubeconfig: 'the cluster has an API server of its own',
  master: 'the cluster has an API server of its own',
  'hostname-override': 'each node has its own name: node-1, node-2 …',
  cleanup: 'nothing of a cluster stays when it ends',
  'init-only': 'the nodes of the cluster are prepared anyway',
  'write-config-to': 'switchyard run does that without a cluster',
}

export function readSessionFlags(argv: readonly string[]): SessionFlags {
  const given: Given = {}
  const [rest, problems]: [string[], string[]] = [[], []]
  for (let i = 0; i < argv.length; i++) {
    const [, name = '', , value] = /^--([^=]+)(=(.*))?$/s.exec(argv[i]!) ?? []
    if (Object.hasOwn(OWN_OF_CLUSTER, name)) problems.push(`--${name}: ${OWN_OF_CLUSTER[name]}`)
    else if (!Object.hasOwn(FLAGS, name)) rest.push(argv[i]!)
    else if ('value' in FLAGS[name as Name]) {
      const words = value ?? argv[++i] ?? ''
      if (words === '') problems.push(`--${name}: a value is missing: ${shown(name as Name)}`)
      else given[name as Name] = words
    } else if (value !== undefined && value !== 'true')
      problems.push(`--${name} takes no value, got ${JSON.stringify(value)}`)
    else given[name as Name] = 'true'
  }
  problems.push(...problemsOf(given))
  return { options: optionsOf(given), rest, problems }
}

/** `--nodes=N` */
export function shown(name: Name): string {
  const flag: Flag = FLAGS[name]
  return flag.value === undefined ? `--${name}` : `--${name}=${flag.value}`
}

function optionsOf(given: Given): SessionOptions {
  const { exec, database, dist } = given
  return {
    nodes: Number(given.nodes ?? 2),
    ipam: given.ipam === 'ring' ? 'ring' : 'node',
    runtime: given.runtime === 'containerd' ? 'containerd' : 'namespaces',
    services: servicesOf(given),
    install: given['no-install'] === undefined ? 'if-missing' : 'never',
    kubectl: given.kubectl === undefined ? 'as-it-is' : 'wanted',
    output: given.quiet === undefined ? 'all' : 'quiet',
    ...(exec !== undefined && { exec }),
    ...(database !== undefined && { database: resolve(database) }),
    ...(dist !== undefined && { dist: resolve(dist) }),
  }
}

function servicesOf(given: Given): ServiceRangeFlags {
  const [clusterIPs, nodePorts] = [given['service-cluster-ip-range'], given['service-node-port-range']]
  return { ...(clusterIPs !== undefined && { clusterIPs }), ...(nodePorts !== undefined && { nodePorts }) }
}

function problemsOf(given: Given): readonly string[] {
  const { nodes, ipam, runtime, database, dist } = given
  return [
    ...(nodes !== undefined && !(/^\d+$/.test(nodes) && Number(nodes) >= 1 && Number(nodes) <= MOST_NODES)
      ? [`--nodes: ${JSON.stringify(nodes)} is no number of nodes from 1 to ${MOST_NODES}`]
      : []),
    ...choiceProblem('ipam', ipam, ['node', 'ring']),
    ...choiceProblem('runtime', runtime, ['namespaces', 'containerd']),
    ...(database === undefined ? [] : databaseProblem(resolve(database))),
    ...(dist === undefined || existsSync(join(resolve(dist), PROGRAM))
      ? []
      : [`--dist: ${resolve(dist)} has no ${PROGRAM}: "npm run build" makes one`]),
    ...reasons(() => serviceRanges(given)),
    ...reasons(() => nodePortRange(servicesOf(given))),
  ]
}

function choiceProblem(name: Name, given: string | undefined, choices: readonly string[]): readonly string[] {
  if (given === undefined || choices.includes(given)) return []
  return [`--${name}: ${JSON.stringify(given)} must be ${choices.join(' or ')}`]
}

function databaseProblem(path: string): readonly string[] {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory())
    return [`--database: ${path} is a folder; name a file in it`]
  try {
    accessSync(dirname(path), constants.W_OK)
    return []
  } catch {
    return [`--database: ${dirname(path)} is no folder that can be written to`]
  }
}

/** Pods and nodes have their addresses from other ranges. */
function serviceRanges(given: Given): readonly Cidr[] {
  const ranges = clusterIPRanges(servicesOf(given))
  const taken = [...(given.ipam === 'ring' ? [RING_RANGE] : CLUSTER_CIDRS), ...LINK_RANGES].map(
    text => parseCidr(text)!,
  )
  for (const range of ranges) refuseTaken(range, taken)
  return ranges
}

function refuseTaken(range: Cidr, taken: readonly Cidr[]): void {
  const overlapped = taken.find(one => cidrFamily(one) === cidrFamily(range) && overlaps(one, range))
  if (overlapped !== undefined)
    throw new Error(
      `--service-cluster-ip-range: ${range} overlaps ${overlapped}, from which pods or nodes have addresses`,
    )
}

function reasons(check: () => unknown): readonly string[] {
  try {
    check()
    return []
  } catch (error) {
    return [(error as Error).message]
  }
}
