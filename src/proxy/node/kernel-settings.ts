import { numbersOf, readFiles, writeNumber } from '#dialects/sysctl.ts'
import type { Kernel, Outcome } from '#system/ports.ts'
import type { Log } from '#telemetry/log/klog.ts'

// Wanted values of kernel settings → those values, written only where another one is found. One that cannot be written
// must not end the agent: kube-proxy exits over a tuning value, and takes all Services of a node with it.

export interface KernelSetting {
  /** The file. */
  readonly path: string
  /** As the log and the person on call know it. */
  readonly name: string
  readonly value: number
  /** True for a value that may stay; where absent, only the wanted one may. */
  readonly fits?: (current: number) => boolean
  /** Left alone where the one with this name could not be set. */
  readonly needs?: string
  /** The setting of ours that leaves it alone. */
  readonly avoid: string
  /** The log line once it is set. */
  readonly logged: readonly [v: number, message: string, pairs?: Readonly<Record<string, unknown>>]
}

export interface KernelSettingOptions {
  readonly kernel: Kernel
  readonly log: Log
}

/** Values by path, and the end of the command that read them. */
export interface CurrentSettings {
  readonly values: ReadonlyMap<string, number>
  readonly outcome: Outcome
}

export async function readSettings(kernel: Kernel, settings: readonly KernelSetting[]): Promise<CurrentSettings> {
  const outcome = await kernel.run(readFiles(settings.map(({ path }) => path)))
  return { values: numbersOf(outcome.stdout), outcome }
}

interface Refusal {
  readonly setting: KernelSetting
  readonly current: number | undefined
  readonly reason: string
}

export async function applySettings(
  { kernel, log }: KernelSettingOptions,
  settings: readonly KernelSetting[],
  found?: CurrentSettings,
): Promise<void> {
  const { values, outcome } = found ?? (await readSettings(kernel, settings))
  const refusals = new Map<string, Refusal>()
  for (const setting of settings) {
    if (setting.needs !== undefined && refusals.has(setting.needs)) continue
    const { path, name, value, fits = current => current === value } = setting
    const current = values.get(path)
    if (current !== undefined && fits(current)) continue
    const answer = current === undefined ? outcome : await kernel.run(writeNumber(path, value))
    if (answer.code === 0) log.info(...setting.logged)
    else refusals.set(name, { setting, current, reason: reasonOf(path, answer) })
  }
  for (const [reason, alike] of Map.groupBy(refusals.values(), ({ reason }) => reason)) logRefusals(log, reason, alike)
}

/** One line for one missing permission, however many settings it prevents. */
function logRefusals(log: Log, reason: string, refusals: readonly Refusal[]): void {
  log.warning('Some kernel settings stay as they are', {
    reason,
    settings: refusals.map(
      ({ setting, current }) => `${setting.name}: ${current ?? 'unknown'}, wanted ${setting.value}`,
    ),
    leaveAloneWith: [...new Set(refusals.map(({ setting }) => setting.avoid))],
  })
}

const SETUP = '"switchyard setup" (--init-only) in a privileged init container can write them'

const REASONS: readonly (readonly [said: RegExp, of: RegExp, reason: string])[] = [
  [/Permission denied|Operation not permitted/, /\/oom_score_adj$/, 'to lower it takes CAP_SYS_RESOURCE'],
  [/Read-only file system/, /./, `this container is not privileged, so /proc/sys and /sys are read-only; ${SETUP}`],
  [
    /Permission denied|Operation not permitted|not supported/,
    /./,
    "only root in the host's own network namespace may write them, with CAP_NET_ADMIN",
  ],
  [
    /No such file/,
    /nf_conntrack/,
    'the kernel module nf_conntrack is not loaded; "modprobe nf_conntrack" on the host loads it',
  ],
  [/No such file/, /./, 'this kernel has no such setting'],
]

/** The error text of the tool, and what it means for this file. */
function reasonOf(path: string, { code, stderr }: Outcome): string {
  const lines = stderr.trim().split('\n')
  const line = lines.find(text => text.includes(`${path}: `)) ?? lines[0]!
  const said = line.split(': ').at(-1) || `exit status ${code}`
  const known = REASONS.find(([words, file]) => words.test(said) && file.test(path))
  return known === undefined ? said : `${said}: ${known[2]}`
}
