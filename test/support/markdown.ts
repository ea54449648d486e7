// Reads what Markdown files link to, for the tests of documents and of the packed package.

/** The text without blocks and spans of code, in which nothing is a link or a heading. */
function withoutBlocks (text: string): string {
  return text.replace(/^ *```[^]*?^ *```$/gm, '')
}

/** The targets of all links and images. */
export function linksIn (text: string): string[] {
  const prose = withoutBlocks(text).replace(/(`+)[^`]*?\1/g, (span) => span.includes('](') ? '' : span)
  return [...prose.matchAll(/\]\(([^)\s]+)(?: "[^"]*")?\)/g), ...prose.matchAll(/^\[[^\]]+\]: +(\S+)/gm), ...prose.matchAll(/(?:href|src)="([^"]+)"/g)].map(([, link]) => link as string)
}

/** Whether a link leads to a file of this repository. */
export function isRelative (link: string): boolean {
  return !/^(?:[a-z][a-z+.-]*:|\/\/)/i.test(link)
}

/** The anchors that GitHub gives the headings. */
export function anchorsIn (text: string): string[] {
  const seen = new Map<string, number>()
  return [...withoutBlocks(text).matchAll(/^#+ +(.*)$/gm)].map(([, title]) => {
    const anchor = (title as string).replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').trim().toLowerCase().replace(/[^\p{L}\p{N}_ -]/gu, '').replaceAll(' ', '-')
    const count = seen.get(anchor) ?? 0
    seen.set(anchor, count + 1)
    return count === 0 ? anchor : `${anchor}-${count}`
  })
}
