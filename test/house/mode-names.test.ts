import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'

// A mode declares what it needs. Only modes themselves, the judging of settings and the switch from one mode to another ask for
// a mode's name.

const SRC = join(import.meta.dirname, '..', '..', 'src')
const MAY_ASK = ['proxy/modes/', 'proxy/agent/mode-switch', 'config/']
/** Where nftables and iptables are tools among which a setting chooses. */
const OF_TOOLS = ['cni/', 'routes/']

const NAME = String.raw`(?:['"](?:iptables|ipvs|nftables|userspace)['"]|(?:IPTABLES|IPVS|NFTABLES|USERSPACE)\.name)`
const COMPARISON = new RegExp(String.raw`[!=]==? ${NAME}|${NAME} [!=]==?|\bcase ${NAME}:|${NAME}[^\]]*\]\.includes\(`)

function comparisonsIn(text: string): readonly string[] {
  return text.split('\n').filter(line => COMPARISON.test(line))
}

describe('no file outside of modes asks for the name of a mode', () => {
  const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter(path => path.endsWith('.ts'))
  const held = files.filter(path => ![...MAY_ASK, ...OF_TOOLS].some(room => path.startsWith(room)))

  test('in the sources', () => {
    expect(held.length).toBeGreaterThan(200)
    const found = held.flatMap(path =>
      comparisonsIn(readFileSync(join(SRC, path), 'utf8')).map(line => `${path}: ${line}`),
    )
    expect(found).toEqual([])
  })

  test('and every room that may is there', () => {
    for (const room of [...MAY_ASK, ...OF_TOOLS]) expect(files.some(path => path.startsWith(room))).toBe(true)
  })

  test.each([
    "if (mode === 'userspace') return",
    "if (settings.mode !== 'ipvs') return",
    "if ('nftables' === mode) return",
    "case 'iptables':",
    'if (mode !== IPVS.name) return',
    "if (['iptables', 'ipvs'].includes(mode)) return",
  ])('%s would be found', line => {
    expect(comparisonsIn(line)).toEqual([line])
  })

  test.each(["const mode = 'iptables'", "{ iptables: 'iptables' }", "readonly mode: 'ipvs' | 'nftables'"])(
    '%s is none',
    line => {
      expect(comparisonsIn(line)).toEqual([])
    },
  )
})
