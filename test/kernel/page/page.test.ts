import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { leaseViews } from '#cni/daemon/page/lease-views.ts'
import { SqliteLeaseBook } from '#ipam/leases/sqlite-lease-book.ts'
import { ensurePrograms } from '#lab/packages.ts'
import { systemClock } from '#system/clock.ts'
import { hostKernel } from '#system/processes/kernel.ts'
import { AgentStage } from '../../page/agent-stage.ts'
import { HOSTILE, hostileCluster, largeCluster, smallCluster } from '../../page/clusters.ts'
import { holder, leaseRequest, SMALL } from '../../support/leases.ts'
import { endpoint, slice, slicePort } from '../../support/objects.ts'
import { accessibilityProblems, openBrowser, watched } from './browser.ts'

// The page of an agent with ten thousand Services, in a real Chromium.

const ensured = await ensurePrograms(hostKernel(), ['chromium'], { install: 'never', say: () => {} })
const why = ensured.ok ? undefined : ensured.problem

const SERVICES = 10_000
const WEB = '/page/services/shop/web'
const HOSTILE_SERVICE = `/page/services/${encodeURIComponent(hostileCluster()[0]!.name).replace('%2F', '/')}`
const PATHS = [
  '/',
  '/page/services',
  '/page/services?q=team-7&page=3',
  '/page/services?q=no-such-thing',
  WEB,
  HOSTILE_SERVICE,
  '/page/explain',
  '/page/explain?from=10.244.5.5&to=10.96.0.10:80',
  '/page/explain?from=nonsense&to=more',
  '/page/syncs',
  '/page/addresses',
  '/page/ranges',
]

describe.skipIf(why !== undefined)(`the page in Chromium${why === undefined ? '' : ` (${why})`}`, () => {
  const folder = mkdtempSync(join(tmpdir(), 'page-'))
  const database = join(folder, 'ipam.db')
  let book: SqliteLeaseBook
  let stage: AgentStage
  let browser: Browser

  beforeAll(async () => {
    book = SqliteLeaseBook.open({ path: database, clock: systemClock, boot: 'b' })
    await book.take(leaseRequest('a', { pod: 'shop/web-1', sets: [SMALL] }))
    stage = await AgentStage.open({ podViews: () => leaseViews({ database, clock: systemClock }) })
    stage.put(...smallCluster(), ...hostileCluster(), ...largeCluster(SERVICES))
    stage.synced()
    browser = await openBrowser()
    await stage.ready()
  })
  afterAll(async () => {
    await browser.close()
    await stage.close()
    book.close()
    rmSync(folder, { recursive: true })
  })

  const at = (path: string): string => stage.url + path

  test.each([
    { name: 'in light', look: (page: Page) => accessibilityProblems(page), options: { colorScheme: 'light' } },
    {
      name: 'in dark',
      look: (page: Page) => accessibilityProblems(page, 'color-contrast'),
      options: { colorScheme: 'dark' },
    },
    { name: 'on a phone', look: tooWide, options: { viewport: { width: 390, height: 800 } } },
  ] as const)('every page can be read, and has nothing on the console: $name', async ({ look, options }) => {
    const { page, complaints, close } = await watched(browser, options)
    const problems: string[] = []
    for (const path of PATHS) {
      await page.goto(at(path))
      problems.push(...(await look(page)).map(problem => `${path} ${problem}`))
    }
    await close()
    expect({ problems, complaints }).toEqual({ problems: [], complaints: [] })
  })

  test('a name that is a script stays a name', async () => {
    const { page, complaints, close } = await watched(browser)
    for (const path of ['/page/services?q=script', HOSTILE_SERVICE, '/page/syncs']) {
      await page.goto(at(path))
      await live(page, path)
    }
    await page.goto(at(HOSTILE_SERVICE))
    expect(await page.title()).toContain('<script>')
    expect(await page.locator('img, main script').count()).toBe(0)
    expect(await page.locator('td', { hasText: HOSTILE }).count()).toBeGreaterThan(0)
    await page.goto(at(`/page/services?q=${encodeURIComponent(HOSTILE)}`))
    expect(await page.locator('input[name=q]').inputValue()).toBe(HOSTILE)
    await page.goto(at(`/page/explain?from=${encodeURIComponent(HOSTILE)}&to=${encodeURIComponent(HOSTILE)}`))
    expect(await page.locator('[role=alert]').textContent()).toContain('<script>')
    expect(complaints).toEqual([])
    // What would run here is kept from running by the policy alone.
    await page.evaluate(`document.body.insertAdjacentHTML('beforeend', '<img src=x onerror="document.title=1">')`)
    await expect.poll(() => complaints.join('\n')).toContain('Content Security Policy')
    expect(await page.title()).not.toBe('1')
    await close()
  })

  test('without JavaScript, Services are searched, paged, opened and explained', async () => {
    const { page, complaints, close } = await watched(browser, { javaScriptEnabled: false })
    await page.goto(at('/'))
    await page.getByRole('link', { name: 'Services', exact: true }).click()
    await page.getByLabel('Search').fill('team-7 80/tcp')
    await page.getByRole('button', { name: 'Search' }).click()
    expect(await page.locator('.headline').textContent()).toContain('250 Services')
    await page.getByRole('link', { name: 'Next →' }).click()
    expect(await page.locator('.pager').textContent()).toContain('51–100 of 250')
    await page.getByRole('rowheader').first().getByRole('link').click()
    expect(await page.locator('h1').textContent()).toMatch(/^team-7\/service-\d+$/)
    await page
      .getByRole('link', { name: /^explain/ })
      .first()
      .click()
    await page.getByLabel('From').fill('10.244.9.9')
    await page.getByRole('button', { name: 'Explain' }).click()
    expect(await page.locator('.way').first().textContent()).toContain('It arrives at 10.24')
    expect(complaints).toEqual([])
    await close()
  })

  test('the keyboard reaches everything: past the navigation, into the search, to a Service', async () => {
    const { page, close } = await watched(browser)
    await page.goto(at('/page/services'))
    await page.keyboard.press('Tab')
    expect(await focused(page)).toBe('Skip to the content')
    await page.keyboard.press('Enter')
    expect(await page.evaluate('document.activeElement.id')).toBe('main')
    await page.keyboard.press('/')
    await page.keyboard.type('shop/web')
    await expect.poll(() => page.locator('.headline').textContent()).toContain('1 Service')
    expect(page.url()).toContain('q=shop%2Fweb')
    expect(await page.evaluate('document.activeElement.name')).toBe('q')
    // The choice, the button, the region of the table, the Service.
    for (let i = 0; i < 4; i++) await page.keyboard.press('Tab')
    expect(await focused(page)).toBe('shop/web')
    await page.keyboard.press('Enter')
    await page.waitForURL(`**${WEB}`)
    await close()
  })

  test('a change is shown within a second, and what has the focus keeps it', async () => {
    const { page, complaints, close } = await watched(browser)
    await page.goto(at(WEB))
    await live(page, WEB)
    await page.getByRole('link', { name: 'explain 10.96.0.10:80' }).focus()
    const took: number[] = []
    for (const last of [11, 12, 13]) {
      const before = performance.now()
      stage.put(slice('shop/web-2', 'shop/web', [endpoint(`10.244.3.${last}`)], { ports: [slicePort(8080, 'http')] }))
      await page.getByText(`10.244.3.${last}:8080`).first().waitFor()
      took.push(performance.now() - before)
    }
    expect(Math.min(...took)).toBeLessThan(1000)
    expect(await focused(page)).toBe('explain 10.96.0.10:80/tcp')
    // Rules follow once they are written.
    await expect.poll(() => page.locator('pre').first().textContent()).toContain('10.244.3.13')
    expect(complaints).toEqual([])
    await close()
  })

  test('what is paused stays as it was until it goes on', async () => {
    const { page, close } = await watched(browser)
    await page.goto(at('/page/addresses'))
    await live(page, '/page/addresses')
    await page.getByRole('button', { name: 'Pause' }).click()
    await book.take(leaseRequest('late', { pod: 'shop/late' }))
    expect(await page.locator('#live').textContent()).toBe('Paused')
    expect(await page.locator('main').textContent()).not.toContain('shop/late')
    await page.getByRole('button', { name: 'Pause' }).click()
    await expect.poll(() => page.locator('main').textContent()).toContain('shop/late')
    await book.release(holder('late'), 'DEL')
    await expect.poll(() => page.locator('tr', { hasText: 'shop/late' }).count()).toBe(0)
    await close()
  })
})

/** Tables scroll in themselves, never the page. */
async function tooWide(page: Page): Promise<readonly string[]> {
  const isWide = await page.evaluate<boolean>('document.documentElement.scrollWidth > innerWidth')
  return isWide ? ['is wider than the window'] : []
}

/** The stream is open. */
async function live(page: Page, path: string): Promise<void> {
  await expect.poll(() => page.locator('#live').textContent(), { message: path }).toBe('Live')
}

async function focused(page: Page): Promise<string> {
  return page.evaluate<string>('document.activeElement.textContent')
}
