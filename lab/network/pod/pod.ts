import { eachLine } from '#system/processes/lines.ts'
import { type Listener, listen } from './answering.ts'
import { type Conversation, connectOnce, open } from './dialing.ts'
import type { Asked, ConnectOutcome, Dial, ListenerAddress, Reply, Request } from './messages.ts'

// The program inside a namespace: requests on stdin → sockets → replies on stdout. One process serves any number of
// addresses and ports. It ends with its stdin, so nothing of it outlives the process that started it.

const listeners = new Map<number, Listener>()
const conversations = new Map<number, Conversation>()

eachLine(process.stdin, line => void serve(JSON.parse(line) as Asked))
process.stdin.once('end', () => process.exit(0))

async function serve({ id, request }: Asked): Promise<void> {
  try {
    reply({ id, outcomes: await carryOut(request) })
  } catch (error) {
    reply({ id, problem: error instanceof Error ? error.message : String(error) })
  }
}

function reply(reply: Reply): void {
  process.stdout.write(`${JSON.stringify(reply)}\n`)
}

async function carryOut(request: Request): Promise<readonly ConnectOutcome[]> {
  switch (request.do) {
    case 'listen':
      return openListener(request.handle, request.listener)
    case 'connect':
      return connectTimes(request.dial, request.times)
    case 'open':
      return openConversation(request.handle, request.dial)
    case 'ask':
      return [await conversation(request.handle).ask(request.text, request.timeoutMs)]
    case 'close':
      return closeHandle(request.handle)
  }
}

async function openListener(handle: number, at: ListenerAddress): Promise<readonly ConnectOutcome[]> {
  listeners.set(handle, await listen(at))
  return []
}

/** One after the other, so that a chosen source port is free again and the order of answers means something. */
async function connectTimes(dial: Dial, times: number): Promise<readonly ConnectOutcome[]> {
  const outcomes: ConnectOutcome[] = []
  for (let i = 0; i < times; i++) outcomes.push(await connectOnce(dial))
  return outcomes
}

/** No outcome means it is open. */
async function openConversation(handle: number, dial: Dial): Promise<readonly ConnectOutcome[]> {
  const start = performance.now()
  const opened = await open(dial)
  if (typeof opened === 'string') return [{ ok: false, error: opened, elapsedMs: performance.now() - start }]
  conversations.set(handle, opened)
  return []
}

function conversation(handle: number): Conversation {
  const found = conversations.get(handle)
  if (found === undefined) throw new Error(`no conversation has the handle ${handle}`)
  return found
}

function closeHandle(handle: number): readonly ConnectOutcome[] {
  listeners.get(handle)?.close()
  listeners.delete(handle)
  conversations.get(handle)?.close()
  conversations.delete(handle)
  return []
}
