import { chmodSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { build, type Metafile } from 'esbuild'
import { logSites } from './build/log-sites.ts'
import { sooner } from './build/sooner.ts'
import { packagesIn, thirdPartyText } from './build/third-party.ts'

// npm run build: the sources → dist/. switchyard.js is the program, relay-worker.js what the worker threads of userspace
// mode run, the others what a verb loads when it is asked for. They start several times faster than the sources and take
// half their memory.

const {
  into,
  sizes: shows,
  metafile: metafilePath,
} = parseArgs({
  options: { into: { type: 'string', default: 'dist' }, sizes: { type: 'boolean' }, metafile: { type: 'string' } },
}).values
const root = import.meta.dirname
const folder = resolve(root, into)

rmSync(folder, { recursive: true, force: true })
const { metafile } = await build({
  absWorkingDir: root,
  entryPoints: { switchyard: 'src/main.ts', 'relay-worker': 'src/proxy/relay/worker/worker.ts' },
  outdir: folder,
  // All in one folder: the relay looks for its worker beside itself.
  chunkNames: '[name]-[hash]',
  bundle: true,
  splitting: true,
  platform: 'node',
  format: 'esm',
  target: 'node24',
  minify: true,
  legalComments: 'none',
  metafile: true,
  banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
  plugins: [sooner, logSites],
})
const program = join(folder, 'switchyard.js')
chmodSync(program, 0o755)
writeFileSync(join(folder, 'THIRD-PARTY.txt'), thirdPartyText(packagesIn(root, Object.keys(metafile.inputs))))
writeFileSync(join(folder, 'package.json'), '{"type":"module"}\n')
const bytes = Object.keys(metafile.outputs).reduce((sum, path) => sum + statSync(resolve(root, path)).size, 0)
console.log(`${join(into, 'switchyard.js')} and its chunks: ${(bytes / 1e6).toFixed(1)} MB`)
if (metafilePath !== undefined) writeFileSync(metafilePath, JSON.stringify(metafile))
if (shows) for (const line of sizeLines(metafile)) console.log(line)

function sizeLines({ outputs }: Metafile): readonly string[] {
  const inputs = Object.values(outputs).flatMap(output =>
    Object.entries(output.inputs).map(([path, { bytesInOutput }]) => {
      const name = /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? 'ours'
      return [name, bytesInOutput] as const
    }),
  )
  const sums = [...Map.groupBy(inputs, ([name]) => name)].map(
    ([name, list]) => [name, list.reduce((sum, [, size]) => sum + size, 0)] as const,
  )
  return sums
    .toSorted((a, b) => b[1] - a[1])
    .map(([name, size]) => `${(size / 1000).toFixed(0).padStart(6)} kB ${name}`)
}
