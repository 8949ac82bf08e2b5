#!/usr/bin/env node
import { isVerb, notAVerb } from '#config/verbs.ts'
import { leave } from '#system/host.ts'
import { complain } from '#system/output.ts'

// argv → one verb, imported only when asked for. No verb before the flags means run, so kube-proxy's own command line works
// unchanged.

interface VerbModule {
  /** Resolves to the exit status. */
  readonly main: (argv: readonly string[]) => Promise<number>
}

/** As in package.json's engines. An older Node fails somewhere in the middle, with an error that does not say so. */
const NODE_NEEDED = 24
if (Number.parseInt(process.versions.node, 10) < NODE_NEEDED) {
  complain(`Error: Switchyard needs Node.js ${NODE_NEEDED} or newer; this is ${process.version}.`)
  leave(1)
}

const argv = process.argv.slice(2)
const first = argv[0] ?? ''
if (first !== '' && !first.startsWith('-') && !isVerb(first)) {
  complain(`Error: ${notAVerb(first)}`)
  leave(1)
}
const verb = isVerb(first) ? first : 'run'
// A relative path with one variable word: so the build knows which files may be meant.
const { main } = (await import(`./verbs/${verb}.ts`)) as VerbModule
leave(await main(isVerb(first) ? argv.slice(1) : argv))
