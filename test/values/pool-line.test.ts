import { describe, expect, test } from 'vitest'
import { parseHostPort, parsePoolLine, poolLine } from '#values/pool-line.ts'
import { ip } from '../support/objects.ts'

describe('a pool', () => {
  test.each([
    [{ endpoints: ['10.244.1.3:8080'] }, 'to 10.244.1.3:8080'],
    [
      { endpoints: ['10.244.1.3:8080', '10.244.1.4:8080'], stickySeconds: 10_800 },
      'to 10.244.1.3:8080 10.244.1.4:8080 sticky 10800',
    ],
    [{ endpoints: ['[fd00::3]:53'], at: ip('fd00:99::2') }, 'to [fd00::3]:53 at fd00:99::2'],
    [{ endpoints: ['10.0.0.1:1'], stickySeconds: 1, at: ip('10.0.0.2') }, 'to 10.0.0.1:1 sticky 1 at 10.0.0.2'],
  ])('%j is one line, and is read back from it', (pool, line) => {
    expect(poolLine(pool)).toBe(line)
    expect(parsePoolLine(line)).toEqual(pool)
  })

  test.each([
    '',
    'to ',
    'to 10.0.0.1',
    'to 10.0.0.1:0',
    'to 10.0.0.1:80 sticky',
    'to 10.0.0.1:80 at nowhere',
    'to sticky 3',
  ])('is not read from "%s"', line => expect(parsePoolLine(line)).toBeUndefined())
})

test.each(['10.0.0.1', '10.0.0.1:65536', 'fd00::1:80', '[10.0.0.1', ':80', 'localhost:80', '10.0.0.1:080'])(
  '"%s" is no endpoint',
  text => expect(parseHostPort(text)).toBeUndefined(),
)
