import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, globSync, mkdtempSync, readdirSync, readFileSync, rmdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { stripVTControlCharacters } from 'node:util'
import { cgroupsOf } from '#lab/containerd/leftovers.ts'
import { namespaceNames } from '#lab/network/namespaces.ts'
import { hostKernel } from '#system/processes/kernel.ts'

// `npm start` as a program: what it prints, how it ends, and what of it is left on the machine.

const PROJECT = fileURLToPath(new URL('../../../', import.meta.url))
/** A user without rights may not read the folder that the project is in: here it is seen from its own root. `$1` is it. */
const SEEN_BY_ALL = 'mount --bind "$1" "$2" && cd "$2" && shift 2 && exec "$@"'
const WITHOUT_RIGHTS = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups']

export class StartProgram {
  readonly #child: ChildProcess
  readonly #ended: Promise<number | string>
  #said = ''
  #seen: string | undefined

  constructor(words: readonly string[], who: 'root' | 'user' = 'root') {
    const [program, ...argv] = who === 'root' ? startAt(PROJECT, words) : this.#startAsUser(words)
    this.#child = spawn(program!, argv, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, HOME: tmpdir() } })
    // All of what it says has come by then.
    this.#ended = once(this.#child, 'close').then(([code, signal]: (number | string)[]) => code ?? signal!)
    for (const stream of [this.#child.stdout!, this.#child.stderr!]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.#said += text
      })
    }
  }

  #startAsUser(words: readonly string[]): readonly string[] {
    const seen = mkdtempSync(join(tmpdir(), 'switchyard-seen-'))
    chmodSync(seen, 0o755)
    this.#seen = seen
    const bind = ['unshare', '--mount', 'sh', '-c', SEEN_BY_ALL, 'sh', PROJECT, seen]
    return [...bind, ...WITHOUT_RIGHTS, ...startAt(`${seen}/`, words)]
  }

  get said(): string {
    return stripVTControlCharacters(this.#said)
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name)
  }

  /** Its exit status, or the signal that ended it. */
  async ended(): Promise<number | string> {
    const end = await this.#ended
    if (this.#seen !== undefined) rmdirSync(this.#seen)
    this.#seen = undefined
    return end
  }

  /** Network namespaces that containerd has made for its pods, as their containers name them. */
  networksOfContainers(): readonly string[] {
    const paths = globSync(`${tmpdir()}/sy-${this.#child.pid}-*/node-*/lib/containerd/state/*/*/*/config.json`)
    return paths.flatMap(path => /\/(cni-[\da-f-]+)"/.exec(readFileSync(path, 'utf8'))?.[1] ?? [])
  }

  /** Namespaces, folders, cgroups and processes that have its number in their names, and mounts. */
  async left(): Promise<readonly string[]> {
    const own = `sy-${this.#child.pid}-`
    const namespaces = (await namespaceNames(hostKernel())).filter(name => name.startsWith(own))
    const folders = readdirSync(tmpdir()).filter(name => name.startsWith(own))
    const mounts = readFileSync('/proc/self/mounts', 'utf8').split('\n')
    const cgroups = cgroupsOf(own)
    return [...namespaces, ...folders, ...cgroups, ...mounts.filter(line => line.includes(own)), ...processes(own)]
  }
}

/** Whether a user without rights may make the namespaces that it needs. */
export function mayMakeNamespaces(): boolean {
  const [program, ...argv] = [...WITHOUT_RIGHTS, 'unshare', '--user', '--map-root-user', '--net', '--mount', 'true']
  return spawnSync(program!, argv).status === 0
}

/** `project` ends with a slash. */
function startAt(project: string, words: readonly string[]): readonly string[] {
  return [process.execPath.replace(PROJECT, project), `${project}lab/start.ts`, ...words]
}

function processes(word: string): readonly string[] {
  const numbers = readdirSync('/proc').filter(name => /^\d+$/.test(name))
  return numbers.map(commandOf).filter(command => command.includes(word))
}

/** One that has ended meanwhile has none. */
function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
  } catch {
    return ''
  }
}
