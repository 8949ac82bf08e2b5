import type { Plugin } from 'esbuild'

// A start is sooner without code that nothing here calls.

export const sooner: Plugin = {
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
    // To import node:http loads Node's own fetch, for exports that nothing here imports.
    builder.onResolve({ filter: /^(?:node:)?https?$/ }, ({ path }) => ({ path, namespace: 'built-in' }))
    builder.onLoad({ filter: /.*/, namespace: 'built-in' }, ({ path }) => ({
      contents: `module.exports = process.getBuiltinModule(${JSON.stringify(path)})`,
    }))
  },
}
