import type { Part, Ruleset, Unit } from '#proxy/modes/mode.ts'
import { textOf } from '#proxy/modes/unit.ts'
import type { Keep } from '#system/ports.ts'
import { type KeptEnd, type KeptFor, keptLine, keptNames, keptSection, START } from './kept.ts'

// What is believed → a file that is written once, and then only what has changed since.

export interface Content {
  readonly installed: Ruleset
  readonly prints: ReadonlyMap<Part, number>
  readonly about: KeptFor
}

/** Lines of a section, between two pauses. */
const STEP = 2000
/** A text that has grown to twice its length, and this, is written anew. */
const GROWN = 1000

export class KeptFile {
  readonly #keep: Keep
  readonly #name: string
  /** What was written ends here; undefined where all is to be written. */
  #end: KeptEnd | undefined
  #wholeLines = 0
  #touched = new Set<string>()

  constructor(keep: Keep, name: string) {
    this.#keep = keep
    this.#name = name
  }

  load(): Promise<string | undefined> {
    return this.#keep.load(this.#name)
  }

  /** What another process has written ends here. Undefined: what stands there says nothing of what has changed. */
  goOn(end: KeptEnd | undefined): void {
    this.#end = end
    this.#wholeLines = end?.lines ?? 0
  }

  touch(names: Iterable<Unit | Part>): void {
    for (const name of names) this.#touched.add(textOf(name))
  }

  get mayAdd(): boolean {
    return this.#end !== undefined && this.#end.lines < 2 * this.#wholeLines + GROWN
  }

  /** In one turn, so that the lines are of one moment. False where there is nothing to add to any more. */
  async add({ installed, prints, about }: Content): Promise<boolean> {
    if (!this.mayAdd) return false
    const lines = [...this.#takeTouched()].map(name => keptLine(name, installed, prints))
    const { text, end } = keptSection(lines, about, this.#end!)
    this.#end = end
    if (await this.#keep.append(this.#name, text)) return true
    this.goOn(undefined)
    return false
  }

  /** Between two sections it pauses; what is touched meanwhile is to be added afterwards. */
  async writeWhole(content: Content, { pause, isSame }: WhileWritten): Promise<void> {
    this.#takeTouched()
    this.goOn(START)
    let end: KeptEnd = START
    async function* pieces() {
      for await (const section of sections(content, { pause, isSame })) {
        end = section.end
        yield section.text
      }
    }
    const isSaved = await this.#keep.save(this.#name, pieces())
    this.goOn(isSaved && this.#end !== undefined ? end : undefined)
  }

  #takeTouched(): ReadonlySet<string> {
    const touched = this.#touched
    this.#touched = new Set()
    return touched
  }
}

interface WhileWritten {
  readonly pause: () => Promise<void>
  /** Whether what is written was true all the time. */
  readonly isSame: () => boolean
}

async function* sections({ installed, prints, about }: Content, { pause, isSame }: WhileWritten) {
  let end: KeptEnd = START
  const section = (names: readonly string[], generation: number | undefined) => {
    const lines = names.map(name => keptLine(name, installed, prints))
    const made = keptSection(lines, { ...about, generation }, end)
    end = made.end
    return made
  }
  let names: string[] = []
  for (const name of keptNames(installed, prints)) {
    if (names.push(name) < STEP) continue
    yield section(names, undefined)
    names = []
    await pause()
  }
  yield section(names, isSame() ? about.generation : undefined)
}
