/**
 * The stylesheet of all pages. Components: `dl` for facts, `ul.rows` for lists of similar items,
 * `.notice` for warnings, `[role=alert]` for errors, `.soft` for small print, `.tag` for labels,
 * `pre` for text to copy, and `.actions` for buttons (`button.secondary` for secondary actions,
 * `a.button` for links).
 */

import { type Accent, accentOnDark, accentOnLight } from './page-colours.ts'

/** Backgrounds with the least contrast to the accent. */
const LIGHT_GROUND = '#eef1f6'
const DARK_TINT = '#212936'

/** `colour` is the accent: six hexadecimal digits after `#`. */
export function pageStyle(colour: string): string {
  return `
:root { color-scheme: light dark; --ink: #1a2130; --soft: #566072; --paper: #fff;
  --ground: ${LIGHT_GROUND}; --line: #d5dbe5; --field: #7c8799; --tint: #f5f7fb; --warn: #8a5a00;
  --warn-tint: #fff6e0; --bad: #b3261e; --bad-tint: #fdeeed; --good: #17663a; --good-tint: #e6f5ec;
  ${variables(accentOnLight(colour, LIGHT_GROUND))} }
@media (prefers-color-scheme: dark) { :root { --ink: #e7ebf2; --soft: #a2adbf; --paper: #191f29;
  --ground: #0f1319; --line: #303a49; --field: #7a8699; --tint: ${DARK_TINT}; --warn: #f0b849;
  --warn-tint: #2c2616; --bad: #ff8f86; --bad-tint: #331d1d; --good: #7fd6a2; --good-tint: #16301f;
  ${variables(accentOnDark(colour, DARK_TINT))} } }
${BASE}${PARTS}${WIDE}`
}

function variables({ plain, strong, on }: Accent): string {
  return `--accent: ${plain}; --accent-strong: ${strong}; --on-accent: ${on}`
}

const BASE = `* { box-sizing: border-box }
body { margin: 0; min-height: 100vh; display: grid; place-content: center;
  grid-template-columns: minmax(0, 31rem); gap: 1rem; padding: 1.5rem 1rem;
  background: var(--ground); color: var(--ink); font: 1rem/1.55 system-ui, sans-serif;
  -webkit-text-size-adjust: 100% }
header { display: flex; align-items: center; gap: .7rem; padding: 0 .25rem; font-weight: 600;
  overflow-wrap: anywhere }
header[data-initial]::before { content: attr(data-initial); flex: none; display: grid;
  place-items: center; width: 2rem; height: 2rem; border-radius: .5rem; background: var(--accent);
  color: var(--on-accent); font-weight: 700 }
header img { flex: none; width: 2rem; height: 2rem; object-fit: contain }
main, .card { padding: 1.75rem 1.75rem .75rem; background: var(--paper);
  border: 1px solid var(--line); border-radius: .75rem;
  box-shadow: 0 1px 2px #0000000d, 0 8px 24px #0000000f }
footer { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; padding: 0 .25rem;
  color: var(--soft); font-size: .85rem; overflow-wrap: anywhere }
h1 { margin: 0 0 .75rem; font-size: 1.5rem; line-height: 1.25; letter-spacing: -.01em }
h2 { margin: 0 0 .5rem; font-size: 1.05rem }
p, dl, ul, form, pre { margin: 0 0 1.1rem }
h1, h2, h3, p, li, dt, dd { overflow-wrap: anywhere }
a { color: var(--accent); text-underline-offset: .15em }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px }
`

const PARTS = `.soft { color: var(--soft); font-size: .9rem }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .35rem 1.25rem;
  padding: .8rem 1rem; background: var(--tint); border: 1px solid var(--line); border-radius: .5rem }
dt { color: var(--soft) } dd { margin: 0 }
ul.rows { padding: 0; list-style: none; border: 1px solid var(--line); border-radius: .5rem }
ul.rows li { padding: .6rem 1rem } ul.rows li + li { border-top: 1px solid var(--line) }
label { display: block; margin-bottom: .35rem; font-weight: 600 }
input { width: 100%; padding: .65rem .75rem; border: 1px solid var(--field); border-radius: .5rem;
  background: var(--paper); color: inherit; font: 1.25rem/1.2 ui-monospace, monospace;
  letter-spacing: .15em; text-transform: uppercase }
input.text, select { width: 100%; margin-bottom: 1.1rem; padding: .65rem .75rem; font: inherit;
  letter-spacing: normal; text-transform: none; border: 1px solid var(--field);
  border-radius: .5rem; background: var(--paper); color: inherit }
fieldset { margin: 0 0 1.1rem; padding: .5rem 1rem; border: 1px solid var(--line);
  border-radius: .5rem } legend { padding: 0 .35rem; font-weight: 600 }
.box { display: flex; gap: .6rem; margin: 0; padding: .3rem 0; font-weight: 400 }
.box input { flex: none; width: 1.15rem; height: 1.15rem; margin: .2rem 0 0;
  accent-color: var(--accent) }
.actions { display: flex; flex-wrap: wrap; gap: .75rem; margin-top: 1rem }
button, a.button { flex: 1 1 9rem; min-height: 2.9rem; padding: .6rem 1rem;
  border: 1px solid var(--accent); border-radius: .5rem; background: var(--accent);
  color: var(--on-accent); font: inherit; font-weight: 600; cursor: pointer }
button:hover, a.button:hover { background: var(--accent-strong); border-color: var(--accent-strong) }
button.secondary { background: transparent; border-color: var(--field); color: var(--ink) }
button.secondary:hover { background: var(--tint) }
.notice, [role=alert] { padding: .7rem 1rem; border-left: 4px solid var(--warn);
  border-radius: .25rem .5rem .5rem .25rem; background: var(--warn-tint); font-size: .95rem }
[role=alert] { border-color: var(--bad); background: var(--bad-tint) }
code { padding: .1em .35em; border-radius: .3rem; background: var(--tint);
  font: .92em ui-monospace, monospace }
@media (max-width: 26rem) { main, .card { padding: 1.25rem 1.1rem .25rem }
  dl { grid-template-columns: 1fr; gap: 0 } dd + dt { margin-top: .5rem } }
`

const WIDE = `body.wide { place-content: start center; grid-template-columns: minmax(0, 46rem);
  gap: 1.25rem; padding: 3rem 1rem 2rem }
.wide main { display: contents }
.wide header { align-items: flex-start; gap: 1.1rem; margin-bottom: .5rem; font-weight: 400 }
.wide header[data-initial]::before { width: 3.25rem; height: 3.25rem; border-radius: .8rem;
  font-size: 1.5rem } .wide header img { width: 3.25rem; height: 3.25rem }
.wide h1 { margin: 0 0 .25rem; font-size: 1.9rem }
.wide h2 { margin-bottom: .6rem; font-size: 1.2rem }
.wide header p { margin: 0; color: var(--soft); font-size: 1.05rem }
h3 { display: flex; flex-wrap: wrap; align-items: baseline; gap: .25rem .75rem; margin: 0 0 .2rem;
  font-size: 1rem } h3 code { font-weight: 400 }
.wide li p { margin: 0 0 .4rem }
.tags { display: flex; flex-wrap: wrap; gap: .4rem; color: var(--soft) }
.tag { padding: .05rem .6rem; border: 1px solid var(--line); border-radius: 1rem;
  font-size: .82rem; white-space: nowrap }
.tag.good { border-color: transparent; background: var(--good-tint); color: var(--good) }
.tag.warn { border-color: transparent; background: var(--warn-tint); color: var(--warn) }
.client { display: flex; flex-wrap: wrap; align-items: baseline; gap: .1rem .75rem }
details { border: 1px solid var(--line); border-radius: .5rem; margin-bottom: .5rem }
details:last-of-type { margin-bottom: 1.1rem }
summary { display: flex; align-items: baseline; gap: .75rem; padding: .7rem 1rem;
  border-radius: .5rem; cursor: pointer; font-weight: 600; list-style: none }
summary::-webkit-details-marker { display: none }
summary::after { content: ''; flex: none; align-self: center; width: .5rem; height: .5rem;
  margin-left: auto; border: solid var(--soft); border-width: 0 2px 2px 0;
  transform: translateY(-25%) rotate(45deg) }
details[open] > summary::after { transform: translateY(25%) rotate(225deg) }
summary:hover { background: var(--tint) }
summary .soft { margin-left: .4rem; font-weight: 400 }
details > div { padding: .25rem 1rem 0 }
pre { padding: .8rem 1rem; border: 1px solid var(--line); border-radius: .5rem;
  background: var(--tint); white-space: pre-wrap; overflow-wrap: anywhere; font-size: .9rem;
  -webkit-user-select: all; user-select: all; cursor: copy }
pre code { padding: 0; background: none; font-size: 1em }
a.button { display: inline-flex; align-items: center; justify-content: center;
  text-decoration: none; flex: none; padding-inline: 1.25rem }
.skip { position: absolute; left: 1rem; top: -4rem; padding: .6rem 1rem; border-radius: .5rem;
  background: var(--paper); z-index: 1 } .skip:focus { top: 1rem }
@media (max-width: 26rem) { body.wide { padding: 1.5rem .75rem } details > div { padding-inline: .75rem }
  pre { padding: .6rem .75rem; font-size: .82rem }
  .wide header { gap: .8rem } .wide h1 { font-size: 1.5rem }
  .wide header[data-initial]::before { width: 2.5rem; height: 2.5rem; font-size: 1.2rem;
  border-radius: .6rem } .wide header img { width: 2.5rem; height: 2.5rem } }
`
