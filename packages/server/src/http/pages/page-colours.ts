/** Adapts the configured colour to the light and the dark scheme, with sufficient contrast. */

/** The colour as `plain` (text and buttons), `strong` (hover) and `on` (text of buttons). */
export interface Accent {
  readonly plain: string
  readonly strong: string
  readonly on: string
}

type Rgb = readonly [red: number, green: number, blue: number]

/** Minimum contrast ratio (WCAG 2.2, 1.4.3). */
const CONTRAST = 4.5

const WHITE: Rgb = [255, 255, 255]
const BLACK: Rgb = [0, 0, 0]

/** Darkens the colour until it is readable on `ground`, the darkest background of a light page. */
export function accentOnLight(colour: string, ground: string): Accent {
  const plain = towards(BLACK, parse(colour), parse(ground))
  return { plain: hex(plain), strong: hex(mix(plain, BLACK, 0.22)), on: '#ffffff' }
}

/** Lightens the colour until it is readable on `ground`, the lightest background of a dark page. */
export function accentOnDark(colour: string, ground: string): Accent {
  const plain = towards(WHITE, parse(colour), parse(ground))
  return { plain: hex(plain), strong: hex(mix(plain, WHITE, 0.3)), on: '#0b0f16' }
}

/** Mixes the colour towards `end`, in steps of 2 %, until the contrast suffices. */
function towards(end: Rgb, colour: Rgb, ground: Rgb): Rgb {
  for (let share = 0; share < 1; share += 0.02) {
    const mixed = mix(colour, end, share)
    if (contrast(mixed, ground) >= CONTRAST) return mixed
  }
  return end
}

/** WCAG 2.2, "contrast ratio". */
function contrast(one: Rgb, other: Rgb): number {
  const [light, dark] = [luminance(one), luminance(other)].sort((a, b) => b - a)
  return ((light ?? 0) + 0.05) / ((dark ?? 0) + 0.05)
}

/** WCAG 2.2, "relative luminance". */
function luminance(colour: Rgb): number {
  const [red, green, blue] = colour.map((channel) => {
    const share = channel / 255
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4
  }) as [number, number, number]
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}

/** Rounds to whole channels, so that the contrast is measured on the displayed colour. */
function mix(from: Rgb, to: Rgb, share: number): Rgb {
  const channel = (index: 0 | 1 | 2) => Math.round(from[index] + (to[index] - from[index]) * share)
  return [channel(0), channel(1), channel(2)]
}

function parse(colour: string): Rgb {
  const channel = (at: number) => Number.parseInt(colour.slice(at, at + 2), 16)
  return [channel(1), channel(3), channel(5)]
}

function hex(colour: Rgb): string {
  return `#${colour.map((channel) => channel.toString(16).padStart(2, '0')).join('')}`
}
