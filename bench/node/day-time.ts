/** Milliseconds of the machine's time of day, finer than one: programs that compare it need not share a start. */
export function dayTime(): number {
  return performance.timeOrigin + performance.now()
}
