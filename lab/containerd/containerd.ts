import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import { imageArchive } from './image.ts'
import { RuntimeClient } from './runtime-client.ts'

// containerd as Debian ships it, with everything it keeps in one folder, and pods of an image that is made here.

export interface ContainerdParts {
  /** On no overlay, and seen in its namespaces under the same path. */
  readonly folder: string
  readonly binDir: string
  readonly confDir: string
  /** A command line → one that runs in the namespaces it is to be in. */
  readonly within: (argv: readonly string[]) => readonly string[]
  /** A path of there, as seen from here. */
  readonly seen: (path: string) => string
  /** What holds a pod's namespaces; without it, a program that answers on port 80 does. */
  readonly sandboxImage?: NamedImage
}

export interface NamedImage {
  /** With registry and tag. */
  readonly name: string
  /** As imageArchive has it. */
  readonly archive: Buffer
}

const IMAGE = 'docker.io/switchyard/pod:1'
const START_MS = 30_000

/** What a pod answers on port 80: its name, and the address it was asked from. */
const ANSWER =
  '#!/bin/busybox sh\nprintf "Content-Type: text/plain\\r\\n\\r\\n%s %s" "$(busybox hostname)" "$REMOTE_ADDR"\n'

export class Containerd {
  readonly #parts: ContainerdParts
  readonly #process: ChildProcess
  readonly client: RuntimeClient

  private constructor(parts: ContainerdParts, process: ChildProcess, client: RuntimeClient) {
    this.#parts = parts
    this.#process = process
    this.client = client
  }

  /** Resolves when it answers. A second one of the same folder finds what the first had. */
  static async start(parts: ContainerdParts): Promise<Containerd> {
    const { folder, within, seen } = parts
    const isFirst = !existsSync(seen(`${folder}/image.tar`))
    if (isFirst) mkdirSync(seen(folder), { recursive: true })
    writeFileSync(seen(`${folder}/config.toml`), configuration(parts))
    const [program, ...words] = within(['containerd', '-c', `${folder}/config.toml`])
    const log = openSync(seen(`${folder}/log`), 'a')
    // In a group of its own: a Ctrl-C is for the program that started it.
    const child = spawn(program!, words, { stdio: ['ignore', log, log], detached: true })
    const client = await answering(child, parts)
    const containerd = new Containerd(parts, child, client)
    if (isFirst) await containerd.importImage(parts.sandboxImage ?? answeringImage())
    return containerd
  }

  get log(): string {
    return readFileSync(this.#parts.seen(`${this.#parts.folder}/log`), 'utf8')
  }

  /** Its pods go on, whatever the signal. */
  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    this.client.close()
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return
    const ended = new Promise(resolve => this.#process.once('close', resolve))
    this.#process.kill(signal)
    await ended
  }

  /** Resolves when pods can be of it. */
  async importImage({ name, archive }: NamedImage): Promise<void> {
    const { folder, seen, within } = this.#parts
    writeFileSync(seen(`${folder}/image.tar`), archive)
    const [program, ...words] = within([
      ...['ctr', '-a', socketIn(folder), '-n', 'k8s.io', 'images', 'import', '--snapshotter', 'native'],
      `${folder}/image.tar`,
    ])
    execFileSync(program!, words, { stdio: 'pipe' })
    // The part of it that has pods hears of that later.
    const deadline = performance.now() + START_MS
    while (!(await this.client.hasImage(name))) {
      if (performance.now() > deadline) throw new Error(`containerd does not find ${name}: ${this.log}`)
      await setTimeout(10)
    }
  }
}

function answeringImage(): NamedImage {
  const busybox = readFileSync(execFileSync('which', ['busybox'], { encoding: 'utf8' }).trim())
  const files = [
    ...['bin/', 'www/', 'www/cgi-bin/'].map(path => ({ path })),
    { path: 'bin/busybox', bytes: busybox },
    { path: 'www/cgi-bin/who', bytes: Buffer.from(ANSWER) },
  ]
  const entrypoint = ['/bin/busybox', 'httpd', '-f', '-p', '0.0.0.0:80', '-h', '/www']
  return { name: IMAGE, archive: imageArchive({ name: IMAGE, files, entrypoint }) }
}

function socketIn(folder: string): string {
  return `${folder}/containerd.sock`
}

async function answering(child: ChildProcess, { folder, seen }: ContainerdParts): Promise<RuntimeClient> {
  const deadline = performance.now() + START_MS
  for (;;) {
    const client = new RuntimeClient(seen(socketIn(folder)))
    try {
      await client.list()
      return client
    } catch (error) {
      client.close()
      if (child.exitCode !== null || performance.now() > deadline) {
        child.kill('SIGKILL')
        throw new Error(`containerd does not answer: ${readFileSync(seen(`${folder}/log`), 'utf8')}`, { cause: error })
      }
    }
    await setTimeout(20)
  }
}

/** Snapshots are plain copies, and nothing listens on a port. */
function configuration({ folder, binDir, confDir, sandboxImage }: ContainerdParts): string {
  return `version = 2
root = "${folder}/root"
state = "${folder}/state"
[grpc]
address = "${socketIn(folder)}"
[plugins."io.containerd.internal.v1.opt"]
path = "${folder}/opt"
[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "${sandboxImage?.name ?? IMAGE}"
stream_server_port = "0"
restrict_oom_score_adj = true
[plugins."io.containerd.grpc.v1.cri".containerd]
snapshotter = "native"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"
[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "${binDir}"
conf_dir = "${confDir}"
`
}
