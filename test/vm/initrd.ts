import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { type KernelPackage, moduleFiles } from './kernel-package.ts'

// A kernel and a command → the first file system that kernel sees: enough to find the host's own, and to start the command
// in it.

export interface Task {
  readonly argv: readonly [string, ...string[]]
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
}

/** What finds the host's files. Everything else is loaded from there when a program asks for it. */
const MODULES = ['virtio_pci', '9pnet_virtio', '9p', 'overlay']

export function initrd(kernel: KernelPackage, task: Task): Buffer {
  const modules = moduleFiles(kernel, MODULES)
  return archive([
    ...['bin', 'dev', 'host', 'modules', 'proc', 'root', 'sys', 'top'].map(folder => ({ name: folder, mode: FOLDER })),
    { name: 'bin/busybox', mode: PROGRAM, bytes: readFileSync('/bin/busybox') },
    { name: 'init', mode: PROGRAM, bytes: Buffer.from(firstProgram(kernel, task)) },
    ...modules.map((path, i) => ({
      name: `modules/${100 + i}-${basename(path)}`,
      mode: FILE,
      bytes: readFileSync(path),
    })),
  ])
}

/**
 * The host's files can only be read: what is written goes to memory, and is gone with the machine. The command's stdout is
 * the second serial port; its stderr is the first, with the kernel's own messages.
 */
function firstProgram({ release, modules }: KernelPackage, { argv, cwd, env }: Task): string {
  return `#!/bin/busybox sh
b=/bin/busybox
$b mount -t proc proc /proc
$b mount -t sysfs sys /sys
$b mount -t devtmpfs dev /dev
for m in /modules/*; do $b insmod $m; done
$b mount -t 9p -o ro,trans=virtio,version=9p2000.L,msize=1048576,cache=loose root /host
$b mount -t tmpfs top /top
$b mkdir /top/up /top/work
$b mount -t overlay -o lowerdir=/host,upperdir=/top/up,workdir=/top/work root /root
$b mount -t tmpfs run /root/run
$b mkdir -p /root/lib/modules /dev/pts /dev/shm
$b ln -s ${quoted(modules)} /root/lib/modules/${release}
$b mount -t devpts pts /dev/pts
$b mount -t tmpfs shm /dev/shm
for d in proc sys dev; do $b mount --move /$d /root/$d; done
$b cat > /root/run/task <<'END'
/bin/busybox stty -F /dev/ttyS1 raw -echo
exec </dev/null >/dev/ttyS1 2>/dev/ttyS0
/bin/busybox ip link set lo up
modprobe -q -a ${EARLY.join(' ')}
cd ${quoted(cwd)}
env -i ${Object.entries(env)
    .map(([name, value]) => quoted(`${name}=${value}`))
    .join(' ')} ${argv.map(quoted).join(' ')}
echo "${ENDED}$?"
/bin/busybox poweroff -f
END
exec $b switch_root /root /bin/sh /run/task
`
}

/**
 * Each of these would be loaded when it is first asked for, and the kernel then begins the transaction that asked anew,
 * which takes seconds. IPVS is not among them: there are checks of a kernel that lacks it.
 */
const EARLY = [
  ...['nft_compat', 'nft_chain_nat', 'nft_ct', 'nft_fib_inet', 'nft_hash', 'nft_masq', 'nft_nat', 'nft_numgen'],
  ...['nft_redir', 'nft_reject_inet', 'nf_conntrack_netlink', 'iptable_nat', 'ip6table_nat', 'iptable_mangle'],
  ...['ip6table_mangle', 'iptable_filter', 'ip6table_filter', 'ipt_REJECT', 'ip6t_REJECT', 'xt_addrtype'],
  ...['xt_comment', 'xt_conntrack', 'xt_mark', 'xt_MASQUERADE', 'xt_nat', 'xt_recent', 'xt_set', 'xt_statistic'],
  ...['ip_set_bitmap_port', 'ip_set_hash_ip', 'ip_set_hash_ipport', 'ip_set_hash_ipportip', 'ip_set_hash_ipportnet'],
  ...['bridge', 'br_netfilter', 'dummy', 'veth'],
]

/** Stands before the exit status on the last line of the second serial port. */
export const ENDED = 'the task ended with '

function quoted(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`
}

const FOLDER = 0o040755
const PROGRAM = 0o100755
const FILE = 0o100644

interface Item {
  readonly name: string
  readonly mode: number
  readonly bytes?: Buffer
}

/** cpio's "newc" form, which the kernel unpacks. */
function archive(items: readonly Item[]): Buffer {
  const pieces = [...items, { name: 'TRAILER!!!', mode: 0 }].map(({ name, mode, bytes = EMPTY }: Item, i) => {
    const fields = [i + 1, mode, 0, 0, 1, 0, bytes.length, 0, 0, 0, 0, name.length + 1, 0]
    const header = `070701${fields.map(field => field.toString(16).padStart(8, '0')).join('')}${name}\0`
    return [padded(Buffer.from(header)), padded(bytes)]
  })
  return Buffer.concat(pieces.flat())
}

const EMPTY = Buffer.alloc(0)

function padded(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.alloc((4 - (bytes.length % 4)) % 4)])
}
