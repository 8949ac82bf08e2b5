import { numbersOf, readFiles, writeNumber } from '#dialects/sysctl.ts'
import type { Kernel, Outcome } from '#system/ports.ts'
import type { Log } from '#telemetry/log/klog.ts'

// Wanted values of kernel settings → those values, written only where another one stands. One that cannot be written is
// no reason to stop: kube-proxy's end over a tuning value takes all Services of a node with it.

export interface KernelSetting {
  /** The file. */
  readonly path: string
  /** As the log and the person on call know it. */
  readonly name: string
  readonly value: number
  /** Whether the value that stands there will do; where absent, only the wanted one does. */
  readonly fits?: (current: number) => boolean
  /** Left alone where the one with this name could not be set. */
  readonly needs?: string
  /** The setting that leaves it alone. */
  readonly avoid: string
  /** What the log says once it is set. */
  readonly told: readonly [v: number, message: string, pairs?: Readonly<Record<string, unknown>>]
}

export interface KernelSettingParts {
  readonly kernel: Kernel
  readonly log: Log
}

/** What stands there now. */
export interface Look {
  readonly values: ReadonlyMap<string, number>
  readonly outcome: Outcome
}

export async function look(kernel: Kernel, knobs: readonly KernelSetting[]): Promise<Look> {
  const outcome = await kernel.run(readFiles(knobs.map(({ path }) => path)))
  return { values: numbersOf(outcome.stdout), outcome }
}

interface Refusal {
  readonly knob: KernelSetting
  readonly current: number | undefined
  readonly reason: string
}

export async function turn(
  { kernel, log }: KernelSettingParts,
  knobs: readonly KernelSetting[],
  seen?: Look,
): Promise<void> {
  const { values, outcome } = seen ?? (await look(kernel, knobs))
  const refusals = new Map<string, Refusal>()
  for (const knob of knobs) {
    if (knob.needs !== undefined && refusals.has(knob.needs)) continue
    const { path, name, value, fits = current => current === value } = knob
    const current = values.get(path)
    if (current !== undefined && fits(current)) continue
    const answer = current === undefined ? outcome : await kernel.run(writeNumber(path, value))
    if (answer.code === 0) log.info(...knob.told)
    else refusals.set(name, { knob, current, reason: reasonOf(path, answer) })
  }
  for (const [reason, alike] of Map.groupBy(refusals.values(), ({ reason }) => reason)) tell(log, reason, alike)
}

/** One line for one missing permission, however many settings it keeps us from. */
function tell(log: Log, reason: string, refusals: readonly Refusal[]): void {
  log.warning('Some kernel settings stay as they are', {
    reason,
    settings: refusals.map(({ knob, current }) => `${knob.name}: ${current ?? 'unknown'}, wanted ${knob.value}`),
    leaveAloneWith: [...new Set(refusals.map(({ knob }) => knob.avoid))],
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

/** The words of the tool, and what they mean for this file. */
function reasonOf(path: string, { code, stderr }: Outcome): string {
  const lines = stderr.trim().split('\n')
  const line = lines.find(text => text.includes(`${path}: `)) ?? lines[0]!
  const said = line.split(': ').at(-1) || `exit status ${code}`
  const known = REASONS.find(([words, file]) => words.test(said) && file.test(path))
  return known === undefined ? said : `${said}: ${known[2]}`
}
