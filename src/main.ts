#!/usr/bin/env node
import { isVerb, type Verb } from '#config/verbs.ts'
import { leave } from '#system/host.ts'
import { complain } from '#system/output.ts'

// argv → one verb, imported only when asked for. No verb means run, so kube-proxy's own command line works unchanged.

interface VerbModule {
  /** Resolves to the exit status. */
  readonly main: (argv: readonly string[]) => Promise<number>
}

const MODULES: Readonly<Record<Verb, () => Promise<VerbModule>>> = {
  run: () => import('#verbs/run.ts'),
  render: () => import('#verbs/render.ts'),
  verify: () => import('#verbs/verify.ts'),
  explain: () => import('#verbs/explain.ts'),
  cleanup: () => import('#verbs/cleanup.ts'),
  setup: () => import('#verbs/setup.ts'),
}

/** As in package.json's engines. An older Node fails somewhere in the middle, with an error that does not say so. */
const NODE_NEEDED = 24
if (Number.parseInt(process.versions.node, 10) < NODE_NEEDED) {
  complain(`Error: Switchyard needs Node.js ${NODE_NEEDED} or newer; this is ${process.version}.`)
  leave(1)
}

const argv = process.argv.slice(2)
const first = argv[0] ?? ''
const verb = isVerb(first) ? first : 'run'
const { main } = await MODULES[verb]()
leave(await main(isVerb(first) ? argv.slice(1) : argv))
