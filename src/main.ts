#!/usr/bin/env node
import { leave } from './system/host.ts'
import { isVerb, VERBS, type Verb } from './verbs/names.ts'

// argv → one verb, imported only when asked for. No verb means run, so kube-proxy's own command line works unchanged.

const [first, ...rest] = process.argv.slice(2)
const verb: Verb = first !== undefined && isVerb(first) ? first : 'run'
const { main } = await VERBS[verb]()
leave(await main(verb === first ? rest : process.argv.slice(2)))
