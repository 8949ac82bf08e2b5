import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build, type Plugin } from 'esbuild'

// The programs for the machine, with all that they import → files of plain JavaScript. Inside, every file that is opened
// and every type that is stripped costs twenty times as much as here.

const INSIDE = fileURLToPath(new URL('inside.ts', import.meta.url))
const POD = fileURLToPath(new URL('../../lab/network/pod/pod.ts', import.meta.url))
const POD_CLIENT = fileURLToPath(new URL('../../lab/network/pod/pod-client.ts', import.meta.url))
const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url))
const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** Returns the path of the program. */
export async function bundleInto(folder: string): Promise<string> {
  const pod = join(folder, 'pod.mjs')
  const inside = join(folder, 'inside.mjs')
  await Promise.all([bundle(POD, pod), bundle(INSIDE, inside, [podIsAt(pod)]), bundle(MAIN, join(folder, SWITCHYARD))])
  return inside
}

/** The whole program, as it is started on a node: beside the one for the machine. */
export const SWITCHYARD = 'switchyard.mjs'

export function bundle(entry: string, outfile: string, plugins: readonly Plugin[] = []): Promise<unknown> {
  return build({
    entryPoints: [entry],
    outfile,
    absWorkingDir: ROOT,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node24',
    sourcemap: 'inline',
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
    plugins: [...plugins],
  })
}

/** The lab starts its program for pods by the path of its source, which is not there inside the bundle. */
function podIsAt(path: string): Plugin {
  return {
    name: 'pod',
    setup(builder) {
      let isPointed = false
      builder.onEnd(() => {
        if (!isPointed) throw new Error(`${POD_CLIENT} is not part of the bundle`)
      })
      builder.onLoad({ filter: /\/pod-client\.ts$/ }, async ({ path: source }) => {
        if (source !== POD_CLIENT) return undefined
        isPointed = true
        const text = await readFile(source, 'utf8')
        const pointed = text.replace(/new URL\('[^']*pod\.ts', import\.meta\.url\)/, JSON.stringify(`file://${path}`))
        if (pointed === text) throw new Error(`${source} does not say where the program for pods is, as expected`)
        return { contents: pointed, loader: 'ts' }
      })
    },
  }
}
