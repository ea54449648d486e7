// "Did you mean …?": the known word that a misspelt one most likely stands for.

/** The word that takes the fewest insertions, deletions and replacements to reach; undefined if none shares enough with the text. Ignores case. */
export function nearestWord (text: string, words: readonly string[]): string | undefined {
  let best: string | undefined
  let fewest = Math.min(text.length, Math.max(2, Math.floor(text.length / 3)) + 1)
  for (const word of words) {
    const edits = distance(text.toLowerCase(), word.toLowerCase(), fewest)
    if (edits < fewest) {
      fewest = edits
      best = word
    }
  }
  return best
}

/** Levenshtein's distance, row by row. Texts whose lengths alone are further apart than `limit` are not compared. */
function distance (from: string, to: string, limit: number): number {
  if (Math.abs(from.length - to.length) >= limit) return limit
  let row = Array.from({ length: to.length + 1 }, (_, index) => index)
  for (let i = 1; i <= from.length; i++) {
    const next = [i]
    for (let j = 1; j <= to.length; j++) {
      const replaced = (row[j - 1] as number) + (from[i - 1] === to[j - 1] ? 0 : 1)
      next.push(Math.min(replaced, (row[j] as number) + 1, (next[j - 1] as number) + 1))
    }
    row = next
  }
  return row[to.length] as number
}
