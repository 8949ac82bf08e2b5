import { expect } from 'vitest'
import { openLog } from '#telemetry/log/klog.ts'
import { settings } from '../config/parsing.ts'
import type { Effects } from './effect.ts'

// Settings of the log: which lines are written, and how they look.

export const LOGGING: Effects = {
  v: async () => {
    expect(await written()).toEqual(['always'])
    expect(await written('-v=4')).toEqual(['always', 'details'])
    expect(await written('--v=4')).toEqual(['always', 'details'])
  },
  vmodule: async () => {
    expect(await written('--vmodule=logging=4')).toEqual(['always', 'details'])
    expect(await written('--vmodule=log*=4')).toEqual(['always', 'details'])
    expect(await written('--vmodule=sync=4')).toEqual(['always'])
  },
  'logging-format': async () => {
    expect((await lines('--logging-format=json')).map(line => JSON.parse(line))).toMatchObject([
      { msg: 'always', v: 0 },
    ])
    expect(await lines()).toEqual([expect.stringMatching(/^I\d{4} .* logging\.ts:\d+\] "always"\n$/)])
  },
}

async function written(...flags: readonly string[]): Promise<readonly string[]> {
  return (await lines(...flags)).map(line => /"(\w+)"\n$/.exec(line)![1]!)
}

async function lines(...flags: readonly string[]): Promise<readonly string[]> {
  const heard: string[] = []
  const { logging } = await settings(...flags)
  const sink = { write: (line: string) => heard.push(line) }
  const log = openLog({ ...logging, sink, clock: { now: () => 0 }, pid: 1 })
  log.info(0, 'always')
  log.info(4, 'details')
  return heard
}
