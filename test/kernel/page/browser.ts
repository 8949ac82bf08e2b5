import axe from 'axe-core'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'

// A real Chromium → pages of it, each with all that it complained about.

const EXECUTABLE = '/usr/bin/chromium'

export function openBrowser(): Promise<Browser> {
  // As root there is no sandbox; the pages are our own.
  return chromium.launch({ executablePath: EXECUTABLE, args: ['--no-sandbox'] })
}

export interface Watched {
  readonly page: Page
  /** What it wrote to the console, and every request that failed. */
  readonly complaints: readonly string[]
  close(): Promise<void>
}

export async function watched(browser: Browser, options: BrowserContextOptions = {}): Promise<Watched> {
  const context = await browser.newContext(options)
  const page = await context.newPage()
  const complaints: string[] = []
  page.on('console', message => complaints.push(`${message.type()}: ${message.text()}`))
  page.on('pageerror', error => complaints.push(`error: ${error.message}`))
  page.on('response', response => {
    if (response.status() >= 400) complaints.push(`${response.status()} ${response.url()}`)
  })
  return { page, complaints, close: () => context.close() }
}

interface AxeResults {
  readonly violations: readonly {
    readonly id: string
    readonly nodes: readonly { readonly target: unknown; readonly failureSummary?: string }[]
  }[]
}

/** A line for each thing that is hard to use for someone; of one rule alone, where it is named. */
export async function accessibilityProblems(page: Page, rule?: string): Promise<readonly string[]> {
  await page.evaluate(axe.source)
  const { violations } = await page.evaluate<AxeResults>(
    `axe.run(document, ${JSON.stringify(rule === undefined ? {} : { runOnly: [rule] })})`,
  )
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ target, failureSummary = '' }) => `${id}: ${target} ${failureSummary.replaceAll('\n', ' ')}`),
  )
}
