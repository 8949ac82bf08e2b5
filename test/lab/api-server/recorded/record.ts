import { readFileSync, writeFileSync } from 'node:fs'
import { type Pair, parseDocument, type Scalar, visit, type YAMLMap, type YAMLSeq } from 'yaml'
import { play, type Server } from './player.ts'
import { type Exchange, RECORDINGS, type Recording, recordings } from './recording.ts'

// node record.ts URL TOKEN [NAME…]: asks a running kube-apiserver what the recordings ask, and writes down what it answers.

const [url, token, ...names] = process.argv.slice(2)
if (url === undefined || token === undefined) throw new Error('usage: node record.ts URL TOKEN [NAME…]')

/** ServiceCIDRs and IPAddresses became v1 in Kubernetes 1.33, as they were in v1beta1. */
const FORMER = '/v1beta1'
const isFormer = await servesOnlyFormer()

for (const recording of recordings()) {
  if (names.length > 0 && !names.includes(recording.name)) continue
  await record(recording, { url, token, ...(isFormer && { said: inFormerVersion }) })
  console.log(`${recording.name}: ${recording.exchanges.length} exchanges`)
}

/** The requests stay as they were written; only the answers are new. */
async function record(recording: Recording, server: Server): Promise<void> {
  const file = new URL(`${recording.name}.yaml`, RECORDINGS)
  const document = parseDocument(readFileSync(file, 'utf8'))
  const exchanges = document.get('exchanges') as YAMLSeq<YAMLMap>
  const answers = await play(recording, server)
  for (const [index, answer] of answers.entries()) {
    const node = document.createNode(answer)
    visit(node, { Pair: shortInOneLine })
    exchanges.items[index]!.set('answer', node)
  }
  writeFileSync(file, document.toString({ lineWidth: 150 }))
}

/** What fits into a line stands in one: `headers: { content-type: application/json }`. */
function shortInOneLine(_key: unknown, { value }: Pair): void {
  const node = value as (YAMLMap | YAMLSeq | Scalar) & { flow?: boolean }
  if (node !== null && 'items' in node && JSON.stringify(node).length <= 100) node.flow = true
}

async function servesOnlyFormer(): Promise<boolean> {
  const exchange = { request: 'GET /apis/networking.k8s.io/v1', parts: ['resources[servicecidrs]'] }
  const [answer] = await play({ exchanges: [exchange as unknown as Exchange] }, { url: url!, token: token! })
  return (answer!.body as Record<string, unknown>)['resources[servicecidrs]'] === null
}

function inFormerVersion(text: string): string {
  if (text.startsWith('/'))
    return text.replace(/(networking\.k8s\.io)\/v1(?=\/(servicecidrs|ipaddresses))/, `$1${FORMER}`)
  return text.replace(/(networking\.k8s\.io)\/v1(?=","kind":"(ServiceCIDR|IPAddress)")/, `$1${FORMER}`)
}
