// What the pure floors may ask of the machine. Real parts are beside this file; paper ones in paper/.

/** A program to run. Text goes in on stdin; nothing is ever passed through a shell. */
export interface Command {
  readonly argv: readonly [string, ...string[]]
  readonly input?: string
  /** Variables on top of those the program would get anyway. */
  readonly env?: Readonly<Record<string, string>>
  /** The program and its children are ended after this long; the outcome then has code 124. */
  readonly timeoutMs?: number
  /** For a program that goes on after a line it could not carry out, and ends with 0 all the same. */
  readonly stderr?: 'means-failure'
}

/** A command that fails is an outcome, not an exception. */
export interface Outcome {
  /** The exit status; 127 where the program is not there, 124 where it was ended at the time limit. */
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export interface Kernel {
  run(command: Command): Promise<Outcome>
}

export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number
  /** Resolves after the time has passed, or at once when the signal aborts: callers look at the signal. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}

/** A program that stays and speaks line by line. */
export type Follow = (argv: Command['argv'], onLine: (line: string) => void) => Following

export interface Following {
  /** Resolves when it is gone, however that came: 127 where it is not there. */
  readonly ended: Promise<{ readonly code: number; readonly stderr: string }>
  stop(): Promise<unknown>
}
