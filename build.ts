import { chmodSync, statSync } from 'node:fs'
import { build, type Plugin } from 'esbuild'

// npm run build: the sources → dist/switchyard.js, the program in one file, and beside it dist/relay-worker.js, what the
// worker threads of userspace mode run. They start several times faster than the sources and take half their memory.

/** What client-node imports for callers we are not: proxies over SOCKS, OpenID tokens, watches over WebSockets, `kubectl cp`. */
const NEVER_CALLED =
  /^(?:openid-client|socks|socks-proxy-agent|hpagent|jsonpath-plus|isomorphic-ws|ws|tar-fs|stream-buffers)$/

/** client-node is imported for KubeConfig alone: nothing of it is worth keeping that nobody asks for. */
const slim: Plugin = {
  name: 'slim',
  setup(builder) {
    builder.onResolve({ filter: /.*/ }, async ({ path, pluginData, ...from }) => {
      const inside = from.importer.includes('/@kubernetes/client-node/')
      if (pluginData === 'seen' || !(inside || path.startsWith('@kubernetes/client-node'))) return undefined
      if (inside && NEVER_CALLED.test(path)) return { path, namespace: 'never-called' }
      const found = await builder.resolve(path, { ...from, pluginData: 'seen' })
      return { ...found, sideEffects: false }
    })
    builder.onLoad({ filter: /.*/, namespace: 'never-called' }, () => ({
      contents:
        'module.exports = new Proxy(class {}, { get: (from, name) => (name === "prototype" ? from.prototype : class {}) })',
    }))
  },
}

const bundled = {
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node24',
  minify: true,
  keepNames: true,
  legalComments: 'none',
} as const

await build({ ...bundled, entryPoints: ['src/system/relay/worker/worker.ts'], outfile: 'dist/relay-worker.js' })
const { metafile } = await build({
  ...bundled,
  metafile: true,
  entryPoints: ['src/main.ts'],
  outfile: 'dist/switchyard.js',
  banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
  plugins: [slim],
})
chmodSync('dist/switchyard.js', 0o755)
console.log(`dist/switchyard.js: ${(statSync('dist/switchyard.js').size / 1e6).toFixed(1)} MB`)
if (process.argv.includes('--sizes')) {
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
