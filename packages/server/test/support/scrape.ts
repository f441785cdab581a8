/** Reads `/metrics` as Prometheus does. */

export interface Sample {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

export interface Scrape {
  readonly text: string
  readonly samples: readonly Sample[]
  /** The sum of the samples with this name and these labels; 0 if there are none. */
  sum(name: string, labels?: Readonly<Record<string, string>>): number
}

/** Scrapes a server that runs outside production, from this machine. */
export async function scrape(url: string, headers: Record<string, string> = {}): Promise<Scrape> {
  const response = await fetch(new URL('/metrics', url), { headers })
  if (!response.ok) throw new Error(`/metrics answered ${response.status}`)
  return parseScrape(await response.text())
}

export function parseScrape(text: string): Scrape {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  const samples = lines.map(parseSample)
  return {
    text,
    samples,
    sum(name, labels = {}) {
      const wanted = Object.entries(labels)
      return samples
        .filter((each) => each.name === name)
        .filter((each) => wanted.every(([label, value]) => each.labels[label] === value))
        .reduce((sum, { value }) => sum + value, 0)
    },
  }
}

function parseSample(line: string): Sample {
  const [, name = '', labels = '', value] = /^([\w:]+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? []
  if (value === undefined) throw new Error(`not a sample: ${line}`)
  const pairs = [...labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, key, text]) => [
    key,
    text,
  ])
  return { name, labels: Object.fromEntries(pairs), value: Number(value) }
}
