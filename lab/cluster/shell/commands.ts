import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { basename, delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { anyCommand } from '#lab/any-command.ts'
import { namespacePath } from '#lab/network/namespaces.ts'
import type { Command } from '#system/ports.ts'

// A cluster → short commands for a person: `node-1 ip route` runs on a node, `switchyard` is the built program, and one file
// makes a shell know them and the kubeconfig.

const API_PROGRAM = fileURLToPath(new URL('./api-program.ts', import.meta.url))

/** Who enters other mounts is in their root folder. */
const IN_SAME_FOLDER = `sh -c 'cd "$0" 2>/dev/null || cd /; exec "$@"' "$PWD"`

export interface ShellOptions {
  /** Of the cluster. */
  readonly folder: string
  readonly kubeconfig: string
  /** The same rights, with the address at which nodes and clients beyond the cluster find the API server. */
  readonly linkKubeconfig: string
  /** The built program. */
  readonly dist: string
  /** Where kubectl is, on a machine that has it. */
  readonly kubectl?: string
}

export class Shell {
  readonly #options: ShellOptions
  readonly #bin: string

  constructor(options: ShellOptions) {
    this.#options = options
    this.#bin = join(options.folder, 'bin')
    mkdirSync(this.#bin)
    this.#write('api', [`exec ${quoted(process.execPath)} ${quoted(API_PROGRAM)} "$@"`])
    // From another terminal, a cluster without root is reached through its user namespace.
    if (options.kubectl !== undefined) this.#write('kubectl', [`exec ${quoted(options.kubectl)} "$@"`])
    this.#write('ask', ASK)
    this.#write('pod', podScript(basename(options.folder)))
    this.#write('switchyard', [`exec ${quoted(process.execPath)} ${quoted(join(options.dist, 'switchyard.js'))} "$@"`])
    writeFileSync(
      this.path,
      [`export KUBECONFIG=${quoted(options.kubeconfig)}`, `PATH=${quoted(this.#bin)}:$PATH`, ''].join('\n'),
    )
  }

  /** What a shell reads to know the commands: `. PATH`. */
  get path(): string {
    return join(this.#options.folder, 'env')
  }

  /** A command of this name runs its words in the network and the mounts of this process, or a shell where it has none. */
  addNode(name: string, pid: number): void {
    this.#addCommand(name, `nsenter --target=${pid} --mount --net --`)
  }

  /** The same in a network namespace. */
  addNamespace(name: string, namespace: string): void {
    this.#addCommand(name, `nsenter --net=${namespacePath(namespace)} --`)
  }

  remove(name: string): void {
    this.#write(name, [`echo '${name} is no longer there' >&2`, 'exit 1'])
  }

  /** A line as a person types it → the command that carries it out as their shell would. */
  command(line: string, more: Partial<Command> = {}): Command {
    return anyCommand(['sh', '-c', line], { ...more, env: { ...this.env(), ...more.env } })
  }

  /** For programs of the user: with a home of their own, and what kubectl keeps goes with the cluster. */
  envOfUser(): Readonly<Record<string, string>> {
    const { KUBECONFIG, PATH } = this.env() as { readonly KUBECONFIG: string; readonly PATH: string }
    return { KUBECONFIG, PATH, KUBECACHEDIR: join(this.#options.folder, '.kube/cache') }
  }

  env(): Readonly<Record<string, string>> {
    const path = [this.#bin, process.env.PATH].join(delimiter)
    return {
      KUBECONFIG: this.#options.kubeconfig,
      PATH: path,
      HOME: this.#options.folder,
      TERM: process.env.TERM ?? 'dumb',
    }
  }

  #addCommand(name: string, enter: string): void {
    this.#write(name, [
      // biome-ignore lint/suspicious/noTemplateCurlyInString: the words of a shell
      '[ $# -gt 0 ] || set -- "${SHELL:-sh}"',
      `export KUBECONFIG=${quoted(this.#options.linkKubeconfig)} PATH=${quoted(this.#bin)}:"$PATH"`,
      `exec ${enter} ${IN_SAME_FOLDER} "$@"`,
    ])
  }

  #write(name: string, lines: readonly string[]): void {
    const path = join(this.#bin, name)
    writeFileSync(path, ['#!/bin/sh', ...fromElsewhere(), ...lines, ''].join('\n'))
    chmodSync(path, 0o755)
  }
}

/** A pod's listeners greet a client that says nothing. */
const ASK = [
  '[ $# -eq 2 ] || { echo "Usage: ask ADDRESS PORT" >&2; exit 2; }',
  `exec timeout 5 bash -c 'exec 3<>"/dev/tcp/$0/$1" && head -n 1 <&3' "$1" "$2"`,
]

/**
 * Names of pods' namespaces begin with that of their node, and end with a part of their uid. Where pods are containers, their
 * programs have the pod's name in HOSTNAME, and are in a cgroup of their node.
 */
function podScript(cluster: string): readonly string[] {
  return [
    '[ $# -gt 1 ] || { echo "Usage: pod NAME COMMAND" >&2; exit 2; }',
    'pod=$1',
    'shift',
    `name=$(ip netns list | grep -oE "^${cluster}-node-[0-9]+-$pod-[0-9a-f]{8}" | head -n 1)`,
    '[ -z "$name" ] || exec ip netns exec "$name" "$@"',
    'for process in $(grep -lszxF "HOSTNAME=$pod" /proc/[0-9]*/environ); do',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the words of a shell
    '  process=${process%/environ}',
    `  ! grep -q "/${cluster}-" "$process/cgroup" || exec nsenter --net="$process/ns/net" -- "$@"`,
    'done',
    'echo "no pod $pod has a network here" >&2',
    'exit 1',
  ]
}

/** A cluster without root is in a user namespace: a command from another terminal enters that first. */
function fromElsewhere(): readonly string[] {
  const there = `/proc/${process.pid}/ns/user`
  return [
    `if [ "$(readlink /proc/self/ns/user)" != "$(readlink ${there})" ]; then`,
    `  exec nsenter --target=${process.pid} --user --preserve-credentials --mount --net -- ${IN_SAME_FOLDER} "$0" "$@"`,
    'fi',
  ]
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}
