import type { Readable, Writable } from 'node:stream'

// What answers `kubectl logs` and `kubectl exec`: the kubelet of the node a pod runs on implements it, the API server asks it.

export interface PodContainer {
  readonly namespace: string
  readonly name: string
  /** Always named where a pod has more than one; the API server has checked that the pod has it. */
  readonly container?: string
}

export interface LogOptions {
  /** Goes on until the container ends or the client leaves. */
  readonly follow: boolean
  /** Of the container that ran before this one. */
  readonly previous: boolean
  /** Each line begins with its time in RFC 3339 and a space. */
  readonly timestamps: boolean
  /** So many of the last lines. */
  readonly tailLines?: number
  readonly sinceSeconds?: number
  readonly limitBytes?: number
}

export interface ExecOptions {
  readonly command: readonly string[]
  /** The client sends input; otherwise the command reads an empty one. */
  readonly stdin: boolean
  /** The command has a terminal: what it writes to stderr comes with stdout. */
  readonly tty: boolean
}

/** One command that runs in a pod. */
export interface ExecSession {
  readonly stdin: Writable
  readonly stdout: Readable
  /** Ends at once where the command has a terminal. */
  readonly stderr: Readable
  /** The exit code; rejects with Refused or another error where the command could not be started. */
  readonly exit: Promise<number>
  resize(columns: number, rows: number): void
  /** The client has left. */
  kill(): void
}

export interface PodStreams {
  /** Text as the container wrote it, in pieces of any size. Throws Refused. */
  logs(pod: PodContainer, options: LogOptions): AsyncIterable<Uint8Array>
  /** Throws Refused. */
  exec(pod: PodContainer, options: ExecOptions): ExecSession
}

/** By the name of a node; undefined where no kubelet of that name runs. */
export type PodStreamsOf = (nodeName: string) => PodStreams | undefined
