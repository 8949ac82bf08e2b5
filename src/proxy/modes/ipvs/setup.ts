import { ADD_IPVS_DEVICE, ipBatch } from '#dialects/ip.ts'
import { LIST_SET_NAMES } from '#dialects/ipset.ts'
import * as ipvs from '#dialects/ipvs.ts'
import { readFiles, sysctlPath, writeSysctl } from '#dialects/sysctl.ts'
import { must } from '#system/must.ts'
import { type Kernel, NOT_FOUND, type Outcome } from '#system/ports.ts'
import type { Family } from '#values/address.ts'

// A kernel and the operator's settings → a kernel that is ready for this mode, or one line that says what it lacks.

/** The host cannot carry this mode in a family; its message says what it lacks. */
export class NoIpvs extends Error {
  constructor(problem: string) {
    super(problem)
    this.name = 'NoIpvs'
  }
}

export interface IpvsSetupOptions {
  readonly family: Family
  readonly scheduler: string
  readonly strictARP: boolean
  /** Milliseconds; 0 leaves the kernel's. */
  readonly tcpTimeoutMs: number
  readonly tcpFinTimeoutMs: number
  readonly udpTimeoutMs: number
}

/** Undefined where everything is there. Throws only where the kernel refuses what it can do. */
export async function ipvsSetup(kernel: Kernel, options: IpvsSetupOptions): Promise<string | undefined> {
  const [sets, servers] = await Promise.all([kernel.run(LIST_SET_NAMES), kernel.run(ipvs.SAVE_SERVERS)])
  const problem =
    missing({ tool: 'ipvsadm', module: 'ip_vs', outcome: servers }) ??
    missing({ tool: 'ipset', module: 'ip_set', outcome: sets }) ??
    (await missingScheduler(kernel, options, servers.stdout))
  if (problem !== undefined) return problem
  await setSysctls(kernel, options)
  await setTimeouts(kernel, options)
  await addDevice(kernel)
  return undefined
}

const OTHERWISE = 'or choose another --proxy-mode, such as nftables'

interface Need {
  readonly tool: string
  readonly module: string
  readonly outcome: Outcome
}

/** Both tools load their module if they may. */
function missing({ tool, module, outcome: { code, stderr } }: Need): string | undefined {
  if (code === 0) return undefined
  if (code === NOT_FOUND)
    return `--proxy-mode=ipvs needs ${tool}, which is not in PATH: install the package ${tool}, ${OTHERWISE}`
  const said = stderr.trim().split('\n').at(-1) ?? ''
  return `--proxy-mode=ipvs needs the kernel module ${module}, which is not loaded here and could not be loaded: run "modprobe ${module}" on the host, ${OTHERWISE} (${tool} says: ${said})`
}

/** Addresses for documentation, to which no client sends: one for each family, because both are set up side by side. */
const TRIAL: Readonly<Record<Family, ipvs.VirtualServerAddress>> = {
  ipv4: { protocol: 'tcp', at: '198.51.100.0:20000' },
  ipv6: { protocol: 'tcp', at: '[2001:db8::]:20000' },
}

/**
 * The kernel loads a scheduler's module when the first virtual server asks for it. Where no virtual server uses the scheduler
 * yet, one is made and deleted again.
 */
async function missingScheduler(
  kernel: Kernel,
  options: IpvsSetupOptions,
  servers: string,
): Promise<string | undefined> {
  const { scheduler, family } = options
  const server = TRIAL[family]
  const isUsed = (line: string): boolean =>
    line.startsWith('-A') && line.includes(' [') === (family === 'ipv6') && ` ${line} `.includes(` -s ${scheduler} `)
  if (servers.split('\n').some(line => isUsed(line) && !line.includes(server.at))) return undefined
  let made = await tryOut(kernel, server, scheduler)
  // Left by an agent that was killed between making and deleting it; `tryOut` has deleted it now.
  if (made.stderr.includes('already exists')) made = await tryOut(kernel, server, scheduler)
  if (made.code === 0) return undefined
  const said = made.stderr.trim()
  if (!said.includes('cheduler'))
    return `--proxy-mode=ipvs: the kernel refuses a virtual server at ${server.at} (ipvsadm says: ${said})`
  return `--ipvs-scheduler (ipvs.scheduler): this kernel has no scheduler "${scheduler}": run "modprobe ip_vs_${scheduler}" on the host, or choose one it has, such as rr or lc`
}

async function tryOut(kernel: Kernel, server: ipvs.VirtualServerAddress, scheduler: string): Promise<Outcome> {
  const made = await kernel.run(ipvs.changeServer(ipvs.serverLine('A', server, ipvs.serverOptions({ scheduler }))))
  await kernel.run(ipvs.changeServer(ipvs.deleteServer(server)))
  return made
}

const OS_RELEASE = 'kernel/osrelease'
const ALWAYS: Readonly<Record<string, number>> = {
  // Without it the kernel would not masquerade what IPVS sends on.
  'net/ipv4/vs/conntrack': 1,
  // Without these, clients of an endpoint that is gone would go on waiting for it, sticky ones even when they connect again.
  'net/ipv4/vs/expire_nodest_conn': 1,
  'net/ipv4/vs/expire_quiescent_template': 1,
  'net/ipv4/ip_forward': 1,
}
/** Only the interface that has an address answers ARP for it: without this, every interface would for those on kube-ipvs0. */
const STRICT_ARP: Readonly<Record<string, number>> = {
  'net/ipv4/conf/all/arp_ignore': 1,
  'net/ipv4/conf/all/arp_announce': 2,
}
/** Before 5.9, a client that used a port again waited a second unless this is 0 (kubernetes/kubernetes#93297). */
const REUSE = 'net/ipv4/vs/conn_reuse_mode'

async function setSysctls(kernel: Kernel, { strictARP }: IpvsSetupOptions): Promise<void> {
  const wanted = { ...ALWAYS, ...(strictARP && STRICT_ARP), [REUSE]: 0 }
  const found = await readAll(kernel, [...Object.keys(wanted), OS_RELEASE])
  for (const [key, value] of Object.entries(wanted)) {
    if (key === REUSE && !needsReuse(found.get(OS_RELEASE) ?? '', found.has(REUSE))) continue
    // A read-only /proc/sys is no problem where every value is right already.
    if (found.get(key) !== `${value}`) await must(kernel, writeSysctl(key, value))
  }
}

function needsReuse(release: string, exists: boolean): boolean {
  const [major = 0, minor = 0] = release.split('.').map(Number)
  return exists && (major < 5 || (major === 5 && minor < 9))
}

/** One process for all; a file that is not there has no line. */
async function readAll(kernel: Kernel, keys: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const { stdout } = await kernel.run(readFiles(keys.map(sysctlPath)))
  const lines = stdout.split('\n').map(line => /^\/proc\/sys\/([^:]+):(.*)$/.exec(line))
  return new Map(lines.flatMap(match => (match === null ? [] : [[match[1]!, match[2]!.trim()] as const])))
}

/** ipvsadm takes 0 for "as it is". */
async function setTimeouts(
  kernel: Kernel,
  { tcpTimeoutMs, tcpFinTimeoutMs, udpTimeoutMs }: IpvsSetupOptions,
): Promise<void> {
  const seconds = {
    tcp: wholeSeconds(tcpTimeoutMs),
    tcpFin: wholeSeconds(tcpFinTimeoutMs),
    udp: wholeSeconds(udpTimeoutMs),
  }
  if (Object.values(seconds).some(value => value !== 0)) await must(kernel, ipvs.setIpvsTimeouts(seconds))
}

function wholeSeconds(ms: number): number {
  return Math.trunc(ms / 1000)
}

/** Both families bind their addresses to it; the family that is set up first makes it. */
async function addDevice(kernel: Kernel): Promise<void> {
  const command = ipBatch([ADD_IPVS_DEVICE])
  const { code, stderr } = await kernel.run(command)
  if (code !== 0 && !stderr.includes('File exists')) await must(kernel, command)
}
