import { chmodSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { build, type Plugin } from 'esbuild'

// npm run build: the sources → dist/switchyard.js, the program in one file, and beside it dist/relay-worker.js, what the
// worker threads of userspace mode run. They start several times faster than the sources and take half their memory.

const { into, sizes: shows } = parseArgs({
  options: { into: { type: 'string', default: 'dist' }, sizes: { type: 'boolean' } },
}).values
const folder = resolve(import.meta.dirname, into)
const program = join(folder, 'switchyard.js')

/** Programs start sooner without what nobody here calls. */
const sooner: Plugin = {
  name: 'sooner',
  setup(builder) {
    // Of undici two kinds of connections and plain requests: no fetch, no cookies, no caches, no WebSockets.
    builder.onResolve({ filter: /^undici$/ }, ({ path }) => ({ path, namespace: 'some-of-undici' }))
    builder.onLoad({ filter: /.*/, namespace: 'some-of-undici' }, () => ({
      resolveDir: import.meta.dirname,
      contents: `
        exports.Agent = require('undici/lib/dispatcher/agent.js')
        exports.ProxyAgent = require('undici/lib/dispatcher/proxy-agent.js')
        require('undici/lib/dispatcher/dispatcher.js').prototype.request = require('undici/lib/api/api-request.js')`,
    }))
    // To import node:http loads Node's own fetch, for exports that nobody here imports.
    builder.onResolve({ filter: /^(?:node:)?https?$/ }, ({ path }) => ({ path, namespace: 'built-in' }))
    builder.onLoad({ filter: /.*/, namespace: 'built-in' }, ({ path }) => ({
      contents: `module.exports = process.getBuiltinModule(${JSON.stringify(path)})`,
    }))
  },
}

const bundled = {
  absWorkingDir: import.meta.dirname,
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node24',
  minify: true,
  legalComments: 'none',
} as const

await build({
  ...bundled,
  entryPoints: ['src/proxy/relay/worker/worker.ts'],
  outfile: join(folder, 'relay-worker.js'),
})
const { metafile } = await build({
  ...bundled,
  metafile: true,
  entryPoints: ['src/main.ts'],
  outfile: program,
  banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
  plugins: [sooner],
})
chmodSync(program, 0o755)
console.log(`${join(into, 'switchyard.js')}: ${(statSync(program).size / 1e6).toFixed(1)} MB`)
if (shows) {
  const [output] = Object.values(metafile.outputs)
  const inputs = Object.entries(output!.inputs).map(([path, { bytesInOutput }]) => {
    const name = /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? 'ours'
    return [name, bytesInOutput] as const
  })
  const sizes = Map.groupBy(inputs, ([name]) => name)
  const sums = [...sizes].map(([name, list]) => [name, list.reduce((sum, [, bytes]) => sum + bytes, 0)] as const)
  for (const [name, bytes] of sums.toSorted((a, b) => b[1] - a[1]))
    console.log(`${(bytes / 1000).toFixed(0).padStart(6)} kB ${name}`)
}
