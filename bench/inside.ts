import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startApiServer } from '#lab/api-server/server.ts'
import { crowd, PROBE, probeService, probeSlice, type Size } from './cluster.ts'

// Runs on the node of a lab: an API server with a cluster of some size, one service proxy, and a clock. Prints one line
// of JSON.

export interface Task extends Size {
  readonly proxy: readonly string[]
  readonly updates: number
  /** Two pods that answer with their names. */
  readonly backends: readonly { readonly name: string; readonly ip: string }[]
  readonly path: string
  readonly giveUpMs: number
}

export interface Measured {
  readonly firstConnectionMs?: number
  readonly updatesMs: readonly number[]
  readonly cpuSeconds: number
  readonly peakMiB: number
}

/** As in the image, where the bundle has been compiled once before. */
const COMPILE_CACHE = join(tmpdir(), 'switchyard-bench-cache')

/** Shorter than the kernel's first retransmission: an attempt that is too early must not wait a second. */
const ATTEMPT_MS = 40
/** How long a proxy may take to end. */
const GRACE_MS = 10_000

if (process.argv[2] !== undefined) {
  const measured = await measure(JSON.parse(process.argv[2]) as Task)
  process.stdout.write(`${JSON.stringify(measured)}\n`)
  process.exit(0)
}

async function measure(task: Task): Promise<Measured> {
  const api = await startApiServer()
  const [a, b] = task.backends as readonly [Task['backends'][0], Task['backends'][0]]
  for (const object of [...crowd(task), probeService(), probeSlice([a.ip])]) api.store.put(object)
  const [program, ...flags] = task.proxy as [string, ...string[]]
  spawnSync(program, [...flags, '--version'], { env: { ...process.env, NODE_COMPILE_CACHE: COMPILE_CACHE } })
  const startedAt = performance.now()
  const proxy = spawn(program, [...flags, `--master=${api.url}`], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, PATH: task.path, NODE_COMPILE_CACHE: COMPILE_CACHE, MALLOC_ARENA_MAX: '2' },
  })
  const first = await reached(a.name, task.giveUpMs)
  const firstConnectionMs = first === undefined ? {} : { firstConnectionMs: first - startedAt }
  const updatesMs: number[] = []
  if (first !== undefined) {
    await quiet()
    for (let i = 0; i < task.updates; i++) {
      const next = i % 2 === 0 ? b : a
      const changedAt = performance.now()
      api.store.put(probeSlice([next.ip]))
      const at = await reached(next.name, task.giveUpMs)
      updatesMs.push(at === undefined ? task.giveUpMs : at - changedAt)
      await quiet()
    }
  }
  const cost = costOf(proxy.pid!)
  await end(proxy)
  return { ...firstConnectionMs, updatesMs, ...cost }
}

/** SIGTERM first: a proxy that is killed outright leaves its `nft monitor` behind. */
async function end(proxy: ChildProcess): Promise<void> {
  const ended = once(proxy, 'exit')
  proxy.kill('SIGTERM')
  const late = setTimeout(() => proxy.kill('SIGKILL'), GRACE_MS)
  await ended
  clearTimeout(late)
}

/** Both proxies gather changes for a second by default; one update must not wait for the last. */
function quiet(): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, 1300))
}

async function reached(name: string, giveUpMs: number): Promise<number | undefined> {
  const end = performance.now() + giveUpMs
  while (performance.now() < end) {
    if ((await answer()) === name) return performance.now()
  }
  return undefined
}

/** Which endpoint answers at the probe's cluster IP; a pause before the next attempt where none does. */
function answer(): Promise<string | undefined> {
  return new Promise(resolve => {
    const socket = connect({ host: PROBE.ip, port: PROBE.port })
    let heard = ''
    const done = (name: string | undefined, pauseMs: number): void => {
      socket.destroy()
      clearTimeout(timer)
      setTimeout(() => resolve(name), pauseMs)
    }
    const timer = setTimeout(() => done(undefined, 0), ATTEMPT_MS)
    socket.on('connect', () => socket.write('who\n'))
    socket.on('data', piece => {
      heard += String(piece)
      if (heard.includes('\n')) done((JSON.parse(heard) as { name: string }).name, 1)
    })
    socket.on('error', () => done(undefined, 5))
  })
}

/** Of the process and of every child it has waited for. */
function costOf(pid: number): Pick<Measured, 'cpuSeconds' | 'peakMiB'> {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ')
  const ticks = fields.slice(11, 15).reduce((sum, text) => sum + Number(text), 0)
  const peak = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  return { cpuSeconds: ticks / 100, peakMiB: Number(peak) / 1024 }
}
