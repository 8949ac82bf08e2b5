import type { Clock } from '#system/ports.ts'
import type { Container } from '../../pod/stands.ts'
import { Program, type ProgramPort } from '../../program/program.ts'
import type { ContainerLog } from '../../streams/container-log.ts'
import type { RunEnd, Sandbox } from '../pod-runtime.ts'
import type { NamespaceRun } from './command-run.ts'

// A container without a command → our small program on the ports that it declares.

interface ProgramRunParts {
  readonly sandbox: Sandbox
  readonly container: Container
  readonly log: ContainerLog
  readonly clock: Clock
}

export async function runProgram(parts: ProgramRunParts): Promise<NamespaceRun> {
  const { sandbox, container, log, clock } = parts
  try {
    const program = await Program.start({
      ...{ netns: sandbox.netns!, name: sandbox.name, addresses: sandbox.ips, ports: portsOf(container), clock },
      say: line => log.say(line),
    })
    return {
      ended: program.ended.then(exitCode => ended(log, { exitCode, ...(exitCode === KILLED && { signal: 9 }) })),
      terminate: () => void program.terminate(),
      kill: () => program.end(KILLED),
    }
  } catch (error) {
    log.say((error as Error).message)
    return { ended: Promise.resolve(ended(log, { exitCode: 1 })), terminate: () => {}, kill: () => {} }
  }
}

/** 128 and the number of SIGKILL. */
const KILLED = 137

function ended(log: ContainerLog, end: RunEnd): RunEnd {
  log.end()
  return end
}

/** There are no sockets for SCTP in Node.js. */
function portsOf({ ports = [] }: Container): readonly ProgramPort[] {
  return ports.flatMap(({ protocol = 'TCP', containerPort: port }) =>
    protocol === 'TCP' || protocol === 'UDP' ? [{ protocol, port }] : [],
  )
}
