import type { Settings } from '#config/settings.ts'
import type { Tools } from '#dialects/iptables.ts'
import { chooseTools, NoIptables } from '#dialects/iptables-choice.ts'
import type { Needs } from '#proxy/desired/node-view.ts'
import { iptables } from '#proxy/modes/iptables/index.ts'
import { ipvs } from '#proxy/modes/ipvs/index.ts'
import { ipvsSetup, NoIpvs } from '#proxy/modes/ipvs/setup.ts'
import type { Mode } from '#proxy/modes/mode.ts'
import { traitsOf } from '#proxy/modes/modes.ts'
import { chooseNft, NoNftables, SKIP_KERNEL_CHECK } from '#proxy/modes/nftables/choose.ts'
import { nftables } from '#proxy/modes/nftables/index.ts'
import { userspace } from '#proxy/modes/userspace/index.ts'
import { environment } from '#system/host.ts'
import type { Command, Kernel, Outcome } from '#system/ports.ts'
import type { Log } from '#telemetry/log/klog.ts'
import { FAMILIES, FAMILY_LABEL, type Family, familyOf } from '#values/address.ts'

// The chosen mode → a Mode, fitted to the tools this host has.

/** What rules will depend on, before the mode is fitted to the host. */
export function needsOf({ mode }: Pick<Settings, 'mode'>): Needs {
  return traitsOf(mode).needs
}

export interface FittedMode {
  readonly mode: Mode
  /** A sentence for the log at V(1). */
  readonly why: string
  /** The iptables it writes to, where it writes to one. */
  readonly tools?: Tools
  /** For a host that has refused the first rules: what it lacks for this mode; undefined where it lacks nothing. */
  readonly lacks?: () => Promise<Error | undefined>
}

interface ModeKind {
  /** Throws where the host lacks what the mode needs. */
  fit(settings: Settings, family: Family, kernel: Kernel): Promise<FittedMode>
  /** With nothing set up on the host; absent where `fit` sets up nothing either. */
  toRead?(settings: Settings, family: Family, kernel: Kernel): Promise<Mode>
  /** As it would be on a host with every tool. */
  onPaper(settings: Settings, family: Family): Mode
}

const KINDS: Readonly<Record<Settings['mode'], ModeKind>> = {
  iptables: {
    fit: async (_, family, kernel) => {
      const { tools, why } = await chooseTools(kernel, family)
      return { mode: iptables(tools), tools, why: `Using ${tools.restore} (${tools.variant}): ${why}` }
    },
    onPaper: (_, family) => iptables(PLAIN_TOOLS[family]),
  },
  nftables: {
    fit: async (_, family, kernel) => {
      const kernelCheck = environment()[SKIP_KERNEL_CHECK] ? 'skip' : 'enforce'
      const { options, why, lacks } = await chooseNft(kernel, { family, kernelCheck })
      return { mode: nftables(options), why: `Using ${why}`, lacks }
    },
    onPaper: (_, family) => nftables({ family, chainRemoval: 'at-once' }),
  },
  ipvs: {
    fit: async (settings, family, kernel) => {
      const { tools, why } = await chooseTools(kernel, family)
      const problem = await ipvsSetup(kernel, { ...settings.ipvs, scheduler: schedulerOf(settings), family })
      if (problem !== undefined) throw new NoIpvs(problem)
      const using = `Using IPVS, and ${tools.restore} (${tools.variant}): ${why}`
      return { mode: ipvsMode(settings, tools), tools, why: using }
    },
    toRead: async (settings, family, kernel) => ipvsMode(settings, (await chooseTools(kernel, family)).tools),
    onPaper: (settings, family) => ipvsMode(settings, PLAIN_TOOLS[family]),
  },
  userspace: {
    fit: async (settings, family, kernel) => {
      const { tools, why } = await chooseTools(kernel, family)
      const using = `Using a relay, and ${tools.restore} (${tools.variant}): ${why}`
      return { mode: userspaceMode(settings, tools), tools, why: using }
    },
    onPaper: (settings, family) => userspaceMode(settings, PLAIN_TOOLS[family]),
  },
}

/** Throws where the host lacks what the mode needs. */
export function fitMode(settings: Settings, family: Family, kernel: Kernel): Promise<FittedMode> {
  return KINDS[settings.mode].fit(settings, family, kernel)
}

/** The node's first family must work; the other is left out where the host has no tools for it. */
export async function fitFamilies(
  { settings, log }: { readonly settings: Settings; readonly log: Log },
  kernel: Kernel,
): Promise<ReadonlyMap<Family, FittedMode>> {
  const primary = familyOf(settings.bindAddress)
  const shared = askingOnce(kernel)
  const tried = await Promise.allSettled(FAMILIES.map(family => fitMode(settings, family, shared)))
  const fitted = new Map<Family, FittedMode>()
  const missing = new Map<Family, unknown>()
  tried.forEach((one, i) => {
    if (one.status === 'fulfilled') fitted.set(FAMILIES[i]!, one.value)
    else missing.set(FAMILIES[i]!, one.reason)
  })
  for (const [family, error] of missing) {
    if (family === primary || !isMissingFamily(error)) throw missing.get(primary) ?? error
  }
  for (const [family, error] of missing) logLeftOut(log, settings, family, error as Error)
  return fitted
}

export function logLeftOut(log: Log, { mode }: Settings, family: Family, { message }: Error): void {
  log.info(0, `No ${mode} support for family`, { ipFamily: FAMILY_LABEL[family], reason: message })
}

/** Both families ask for the version of the same program: the same command object, run once. */
function askingOnce(kernel: Kernel): Kernel {
  const asked = new Map<Command, Promise<Outcome>>()
  return {
    run(command) {
      if (command.does !== 'other') return kernel.run(command)
      const outcome = asked.get(command) ?? kernel.run(command)
      asked.set(command, outcome)
      return outcome
    },
  }
}

/** For verbs that only read the host: nothing is set up there, not even what the mode needs before its first rule. */
export async function modeToRead(settings: Settings, family: Family, kernel: Kernel): Promise<Mode> {
  const kind = KINDS[settings.mode]
  return kind.toRead?.(settings, family, kernel) ?? (await kind.fit(settings, family, kernel)).mode
}

/** True where the host lacks what the mode needs in one family; it may have it in the other. */
export function isMissingFamily(error: unknown): error is Error {
  return error instanceof NoIptables || error instanceof NoNftables || error instanceof NoIpvs
}

/** The mode as it would be on a host with every tool: for verbs that only print. */
export function paperMode(settings: Settings, family: Family): Mode {
  return KINDS[settings.mode].onPaper(settings, family)
}

function ipvsMode(settings: Settings, tools: Tools): Mode {
  return ipvs({ tools, scheduler: schedulerOf(settings), excludeCIDRs: settings.ipvs.excludeCIDRs })
}

function schedulerOf({ ipvs: { scheduler } }: Settings): string {
  return scheduler === '' ? 'rr' : scheduler
}

/** The relay listens at --bind-address, in its family; in the other at every address. */
function userspaceMode({ bindAddress }: Settings, tools: Tools): Mode {
  const isNamed = !UNSPECIFIED.includes(bindAddress) && familyOf(bindAddress) === tools.family
  return userspace({ tools, ...(isNamed && { listenOn: bindAddress }) })
}

const UNSPECIFIED: readonly string[] = ['0.0.0.0', '::']

const PLAIN_TOOLS: Record<Family, Tools> = {
  ipv4: { family: 'ipv4', variant: 'nft', restore: 'iptables-restore', save: 'iptables-save' },
  ipv6: { family: 'ipv6', variant: 'nft', restore: 'ip6tables-restore', save: 'ip6tables-save' },
}
