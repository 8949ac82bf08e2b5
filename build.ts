import { chmodSync, statSync } from 'node:fs'
import { build, type Plugin } from 'esbuild'

// npm run build: the sources → dist/switchyard.js, the one file that ships. It starts several times faster than the
// sources and takes half their memory.

const slim: Plugin = {
  name: 'slim',
  setup(builder) {
    builder.onResolve({ filter: /^@kubernetes\/client-node/ }, async ({ path, resolveDir, kind, pluginData }) => {
      if (pluginData === 'seen') return undefined
      const found = await builder.resolve(path, { resolveDir, kind, pluginData: 'seen' })
      return { ...found, sideEffects: false }
    })
  },
}

await build({
  entryPoints: ['src/main.ts'],
  outfile: 'dist/switchyard.js',
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node24',
  minifySyntax: true,
  legalComments: 'none',
  banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
  plugins: [slim],
})
chmodSync('dist/switchyard.js', 0o755)
console.log(`dist/switchyard.js: ${(statSync('dist/switchyard.js').size / 1e6).toFixed(1)} MB`)
