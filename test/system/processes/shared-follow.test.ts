import { describe, expect, test } from 'vitest'
import type { Follow } from '#system/ports.ts'
import { sharedFollow } from '#system/processes/shared-follow.ts'

/** Programs that say and do what the test wants. */
class Programs {
  readonly all: { readonly argv: string; say(line: string): void; end(code: number): void; stopped: boolean }[] = []

  readonly follow: Follow = (argv, say) => {
    const { promise: ended, resolve } = Promise.withResolvers<{ code: number; stderr: string }>()
    const end = (code: number): void => resolve({ code, stderr: '' })
    const program = { argv: argv.join(' '), say, end, stopped: false }
    this.all.push(program)
    const stop = async (): Promise<unknown> => {
      program.stopped = true
      end(143)
      return ended
    }
    return { ended, stop }
  }
}

function listening() {
  const lines: string[] = []
  return { lines, hear: (line: string): void => void lines.push(line) }
}

describe('a program that several listen to', () => {
  test('is started once, and all of them hear it', () => {
    const programs = new Programs()
    const follow = sharedFollow(programs.follow)
    const [a, b] = [listening(), listening()]
    follow(['nft', 'monitor'], a.hear)
    follow(['nft', 'monitor'], b.hear)
    follow(['ip', 'monitor'], () => {})
    expect(programs.all.map(({ argv }) => argv)).toEqual(['nft monitor', 'ip monitor'])
    programs.all[0]!.say('one')
    expect([a.lines, b.lines]).toEqual([['one'], ['one']])
  })

  test('goes on while any listener is left, and one that has stopped hears nothing more', async () => {
    const programs = new Programs()
    const follow = sharedFollow(programs.follow)
    const [a, b] = [listening(), listening()]
    const first = follow(['nft'], a.hear)
    const second = follow(['nft'], b.hear)
    await first.stop()
    expect(await first.ended).toEqual({ code: 0, stderr: '' })
    programs.all[0]!.say('one')
    expect([a.lines, b.lines, programs.all[0]!.stopped]).toEqual([[], ['one'], false])
    await second.stop()
    await second.stop()
    expect(programs.all[0]!.stopped).toBe(true)
    expect((await second.ended).code).toBe(143)
  })

  test('is started anew by a listener that comes after it has ended, or after it was stopped', async () => {
    const programs = new Programs()
    const follow = sharedFollow(programs.follow)
    const first = follow(['nft'], () => {})
    programs.all[0]!.end(1)
    expect((await first.ended).code).toBe(1)
    const second = follow(['nft'], () => {})
    expect(programs.all.length).toBe(2)
    void second.stop()
    const late = listening()
    follow(['nft'], late.hear)
    expect(programs.all.length).toBe(3)
    programs.all[2]!.say('here')
    expect(late.lines).toEqual(['here'])
  })
})
