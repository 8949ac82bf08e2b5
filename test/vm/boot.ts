import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { systemClock } from '#system/clock.ts'
import { startChild } from '#system/processes/children.ts'
import { ENDED, initrd } from './initrd.ts'
import { kernelPackage } from './kernel-package.ts'

// A command → the same command on a machine of its own, emulated, with a kernel that has IPVS and with the files of this
// one: what it prints, line by line, and how it ended.

export interface VmOptions {
  readonly timeoutMs: number
  readonly onLine: (line: string) => void
  readonly cwd?: string
  /** On top of PATH and HOME. */
  readonly env?: Readonly<Record<string, string>>
}

export interface VmEnd {
  /** The command's exit status; undefined where the machine ended before it. */
  readonly code: number | undefined
  /** What the kernel said, and the command on stderr. */
  readonly console: string
}

/** The host's files are there, to be read; what is written there stays in the machine. */
export async function runInVm(argv: readonly [string, ...string[]], options: VmOptions): Promise<VmEnd> {
  const folder = mkdtempSync(join(tmpdir(), 'switchyard-vm-'))
  try {
    return await run(folder, argv, options)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

async function run(folder: string, argv: readonly [string, ...string[]], options: VmOptions): Promise<VmEnd> {
  const kernel = await kernelPackage()
  const files = { initrd: join(folder, 'initrd'), console: join(folder, 'console') }
  const env = { PATH: `${dirname(process.execPath)}:${SYSTEM_PATH}`, HOME: '/root', LC_ALL: 'C', ...options.env }
  writeFileSync(files.initrd, initrd(kernel, { argv, cwd: options.cwd ?? '/', env }))
  let code: number | undefined
  const machine = startChild({
    argv: ['qemu-system-x86_64', ...machineWords(kernel.image, files)],
    onLine: line => {
      if (line.startsWith(ENDED)) code = Number(line.slice(ENDED.length))
      else options.onLine(line)
    },
  })
  const late = new AbortController()
  const patience = systemClock.sleep(options.timeoutMs, late.signal).then(() => machine.stop())
  const ending = await machine.ended
  late.abort()
  await patience
  return { code, console: consoleText(files.console) + ending.stderr }
}

const SYSTEM_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/**
 * Emulated in software on purpose: /dev/kvm is not everywhere, and where it is another program may hold it, and it may hang.
 * One processor, because two emulated ones wait for each other wherever the host is busy; several machines do better. Its
 * kind is an old one, because programs use whatever wide registers they find, and those are dear to emulate.
 */
function machineWords(image: string, files: { readonly initrd: string; readonly console: string }): readonly string[] {
  const hardware = ['-M', 'q35', '-accel', 'tcg,thread=multi', '-cpu', 'Nehalem', '-m', '2G', '-smp', '1']
  const bare = ['-nographic', '-nodefaults', '-no-reboot']
  // This kernel is not attacked, and what it would do against that is dear to emulate. Above all programs must lie at the
  // addresses they had the last time: then what was translated of them can be used again, and they start in half the time.
  const careless = 'norandmaps nokaslr mitigations=off init_on_alloc=0 apparmor=0 audit=0'
  const words = `console=ttyS0 quiet panic=-1 ${careless}`
  const boot = ['-kernel', image, '-initrd', files.initrd, '-append', words]
  const share = 'local,path=/,mount_tag=root,security_model=none,multidevs=remap,readonly=on'
  return [...hardware, ...bare, ...boot, '-virtfs', share, '-serial', `file:${files.console}`, '-serial', 'stdio']
}

function consoleText(file: string): string {
  try {
    return readFileSync(file, 'utf8').replaceAll('\r', '')
  } catch {
    return ''
  }
}
