import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { leaseViews } from '#cni/daemon/page/lease-views.ts'
import { systemClock } from '#system/clock.ts'
import { endpoint, slice, slicePort } from '../support/objects.ts'
import { AgentStage } from './agent-stage.ts'
import { HOSTILE, hostileCluster, smallCluster } from './clusters.ts'

// The page of a whole agent, over HTTP.

let stage: AgentStage
beforeAll(async () => {
  stage = await AgentStage.open()
  stage.put(...smallCluster(), ...hostileCluster())
  stage.synced()
  await stage.ready()
})
afterAll(() => stage.close())

async function got(path: string): Promise<{ status: number; headers: Headers; text: string }> {
  const response = await fetch(stage.url + path)
  return { status: response.status, headers: response.headers, text: await response.text() }
}

/** As a person reads it. */
function readable(page: string): string {
  return page
    .replace(/<[^>]*>/g, ' ')
    .replace(/\s+/g, ' ')
    .replaceAll('&quot;', '"')
    .trim()
}

describe('the page of an agent', () => {
  test('stands beside the pages of the metrics port', async () => {
    expect((await got('/')).headers.get('content-type')).toBe('text/html; charset=utf-8')
    expect((await got('/proxyMode')).text).toBe('nftables')
    expect((await got('/metrics')).text).toContain('kubeproxy_sync_proxy_rules_duration_seconds')
    expect(await got('/nothing')).toMatchObject({ status: 404, text: '404 page not found\n' })
  })

  test('lets nothing in from elsewhere, and lets no other page show it', async () => {
    for (const path of ['/', '/page/services', '/page/nowhere', '/page/live?at=%2Fnowhere']) {
      const { headers } = await got(path)
      expect(headers.get('content-security-policy')).toMatch(/^default-src 'none'; .*frame-ancestors 'none'/)
      expect(headers.get('content-security-policy')).not.toMatch(/unsafe|\*|http/)
      expect(headers.get('x-content-type-options')).toBe('nosniff')
      expect(headers.get('referrer-policy')).toBe('no-referrer')
      expect(headers.get('access-control-allow-origin')).toBeNull()
    }
  })

  test('has no style, script or handler inside of a page', async () => {
    for (const path of [
      '/',
      '/page/services',
      '/page/services/shop/web',
      '/page/explain?to=10.96.0.10:80',
      '/page/syncs',
    ]) {
      const { text } = await got(path)
      expect(text.match(/<script[^>]*>/g)).toEqual([
        expect.stringMatching(/^<script src="\/page\/assets\/[a-z0-9]+\/live\.js" defer>$/),
      ])
      const bare = text.replaceAll(/"[^"]*"/g, '""')
      expect(bare.match(/<style|<[a-z][^>]*\s(?:style|on\w+)=/g)).toBeNull()
    }
  })

  test('has assets that browsers keep, under names that change with them', async () => {
    const { text } = await got('/')
    const paths = [...text.matchAll(/(?:href|src)="(\/page\/assets\/[^"]+)"/g)].map(([, path]) => path!)
    expect(paths).toHaveLength(3)
    for (const path of paths) {
      const { status, headers } = await got(path)
      expect([status, headers.get('cache-control')]).toEqual([200, 'max-age=31536000, immutable'])
    }
  })

  test('shows one Service: where clients connect, where they are sent, and the rules of it alone', async () => {
    const { text } = await got('/page/services/shop/web')
    const words = readable(text)
    expect(words).toContain('10.96.0.10:80/tcp cluster IP http 2 endpoints all')
    expect(words).toContain(':30080/tcp node port http Local: inside, 2 endpoints; outside, 1 endpoint')
    expect(words).toContain('10.244.1.2:8080 http in use yes yes no yes here a')
    expect(words).toContain('10.244.2.4:8080 http leaving no yes yes no there b')
    expect(words).toContain('[fd00:244:1::2]:8080 http in use')
    expect(words).toMatch(/nft -f - .*10\.96\.0\.10 \. tcp \. 80/)
    expect(words).not.toContain('10.96.0.11')
  })

  test('says of a Service without endpoints that its clients are rejected', async () => {
    expect(readable((await got('/page/services/shop/empty')).text)).toContain('rejected no endpoint on any node')
  })

  test.each([
    ['/page/services/shop/gone', 'There is no Service shop/gone'],
    ['/page/services/', 'There is no Service'],
    ['/page/services/%E0%A4%A', 'There is no Service'],
    ['/page/nowhere', 'There is no such page'],
  ])('answers %s with 404 and a sentence', async (path, sentence) => {
    const { status, text } = await got(path)
    expect([status, readable(text)]).toEqual([404, expect.stringContaining(sentence)])
  })

  test('explains a packet by the rules, and says what is wrong with a question', async () => {
    const asked = async (to: string, from = '10.244.5.5') =>
      readable((await got(`/page/explain?${new URLSearchParams({ from, to })}`)).text)
    expect(await asked('10.96.0.10:80')).toMatch(
      /50\.0 % arrives It arrives at 10\.244\.1\.2:8080\. .*dnat to 10\.244\.1\.2:8080/,
    )
    expect(await asked('10.96.0.11:80')).toMatch(/Why: shop\/empty has no endpoints.* It is refused\./)
    expect(await asked('shop/web')).toMatch(/Service shop\/web, port http .* Service shop\/web, port dns/)
    expect(await asked('nonsense')).toContain('must be like 10.96.0.10:80')
    expect(await asked('10.96.0.10:80/icmp')).toContain('is no protocol of Services')
    expect(await asked('[fd00::1]:80')).toContain('of two families')
    expect(await asked('10.96.0.10:80', 'me')).toContain('FROM: "me" must be an address')
  })

  test('shows names that are scripts as they are', async () => {
    const service = hostileCluster()[0]!.name
    const paths = ['/', '/page/services', `/page/services/${encodeURIComponent(service)}`, '/page/syncs']
    for (const path of [
      ...paths,
      `/page/explain?from=${encodeURIComponent(HOSTILE)}&to=${encodeURIComponent(HOSTILE)}`,
    ]) {
      expect((await got(path)).text).not.toMatch(/<script>|<img|<\/title><script/)
    }
    expect((await got('/page/services')).text).toContain('&lt;script&gt;')
  })

  test('answers HEAD without a body, and no other method', async () => {
    const head = await fetch(`${stage.url}/`, { method: 'HEAD' })
    expect([head.status, await head.text()]).toEqual([200, ''])
    const post = await fetch(`${stage.url}/page/services`, { method: 'POST', body: 'q=1' })
    expect(post.status).toBe(405)
    const live = await fetch(`${stage.url}/page/live?at=%2F`, { method: 'HEAD' })
    expect(await live.text()).toBe('')
  })

  test('sends what changes to those who look, also a part that comes and goes', async () => {
    const leave = new AbortController()
    const response = await fetch(`${stage.url}/page/live?at=%2Fpage%2Fservices%2Fshop%2Fweb`, { signal: leave.signal })
    expect(response.headers.get('content-type')).toBe('text/event-stream')
    let received = ''
    const reading = (async () => {
      for await (const piece of response.body!.pipeThrough(new TextDecoderStream())) received += piece
    })().catch(() => {})
    await expect.poll(() => received).toContain('10.244.2.3:8080')
    const late = slice('shop/web-2', 'shop/web', [endpoint('10.244.7.7')], { ports: [slicePort(8080, 'http')] })
    stage.put(late)
    await expect.poll(() => received).toContain('10.244.7.7:8080')
    stage.remove(late)
    leave.abort()
    await reading
  })

  test('follows what is asked for in the address of the stream, and no other thing', async () => {
    const answered = await Promise.all(
      ['', 'http://elsewhere/', '/metrics', '/page/live'].map(at => got(`/page/live?at=${encodeURIComponent(at)}`)),
    )
    expect(answered.map(({ status }) => status)).toEqual([404, 404, 404, 404])
  })
})

test('a database of leases that is damaged is said to be, and no other page ends with it', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'damaged-'))
  const database = join(folder, 'ipam.db')
  writeFileSync(database, 'no database'.repeat(1000))
  const other = await AgentStage.open({ podViews: () => leaseViews({ database, clock: systemClock }) })
  try {
    for (const path of ['/', '/page/syncs', '/page/services'])
      expect([path, (await fetch(other.url + path)).status]).toEqual([path, 200])
    const addresses = await fetch(`${other.url}/page/addresses`)
    expect(readable(await addresses.text())).toMatch(/This cannot be read: the lease database .* is damaged: /)
  } finally {
    await other.close()
    rmSync(folder, { recursive: true })
  }
})
