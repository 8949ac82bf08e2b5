import { chmodSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { type BuildOptions, build, type Metafile } from 'esbuild'
import { VERSION } from '#command-line/version.ts'
import { manualPage } from '#config/shown/manual.ts'
import { logSites } from './build/log-sites.ts'
import { sooner } from './build/sooner.ts'
import { packagesIn, thirdPartyText } from './build/third-party.ts'

// npm run build: the sources → dist/. switchyard.js is the program, relay-worker.js what the worker threads of userspace
// mode run, cni.js does a plugin's work where no daemon serves, the others are what a verb loads when it is asked for. They
// start several times faster than the sources and take half their memory. switchyard.1 is the manual page.

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
const common = {
  absWorkingDir: root,
  outdir: folder,
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node24',
  // Names stay: profiles and stack traces are read by people. It costs the start nothing.
  minifyWhitespace: true,
  minifySyntax: true,
  legalComments: 'none',
  banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
  plugins: [sooner, logSites],
} as const satisfies BuildOptions
const { metafile } = await build({
  ...common,
  entryPoints: { switchyard: 'src/main.ts', 'relay-worker': 'src/proxy/relay/worker/worker.ts' },
  // All in one folder: the relay looks for its worker beside itself.
  chunkNames: '[name]-[hash]',
  splitting: true,
  metafile: true,
})
// One file: it is copied to where plugins are.
await build({ ...common, entryPoints: { cni: 'src/cni.ts' } })
const program = join(folder, 'switchyard.js')
chmodSync(program, 0o755)
writeFileSync(join(folder, 'THIRD-PARTY.txt'), thirdPartyText(packagesIn(root, Object.keys(metafile.inputs))))
writeFileSync(join(folder, 'switchyard.1'), manualPage(VERSION))
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
