/**
 * The one stylesheet of all pages. What a page may be made of besides text: `dl` for facts,
 * `ul.scopes` for what is asked for, `.notice` for a warning, `[role=alert]` for what went wrong,
 * `.soft` for small print, and `.actions` for buttons (`button.secondary` for the lesser ones).
 */

export const STYLE = `
:root { color-scheme: light dark; --ink: #1a2130; --soft: #566072; --paper: #fff; --ground: #eef1f6;
  --line: #d5dbe5; --field: #7c8799; --accent: #1f4fbf; --accent-strong: #173f9c; --on-accent: #fff;
  --tint: #f5f7fb; --warn: #8a5a00; --warn-tint: #fff6e0; --bad: #b3261e; --bad-tint: #fdeeed }
@media (prefers-color-scheme: dark) { :root { --ink: #e7ebf2; --soft: #a2adbf; --paper: #191f29;
  --ground: #0f1319; --line: #303a49; --field: #7a8699; --accent: #8db0ff; --accent-strong: #abc5ff;
  --on-accent: #0e1420; --tint: #212936; --warn: #f0b849; --warn-tint: #2c2616; --bad: #ff8f86;
  --bad-tint: #331d1d } }
* { box-sizing: border-box }
body { margin: 0; min-height: 100vh; display: grid; place-content: center;
  grid-template-columns: minmax(0, 31rem); gap: 1rem; padding: 1.5rem 1rem;
  background: var(--ground); color: var(--ink); font: 1rem/1.55 system-ui, sans-serif }
header { display: flex; align-items: center; gap: .6rem; padding: 0 .25rem; font-weight: 600;
  overflow-wrap: anywhere }
header::before { content: ''; flex: none; width: .75rem; height: .75rem; border-radius: .2rem;
  background: var(--accent) }
main { padding: 1.75rem 1.75rem .75rem; background: var(--paper); border: 1px solid var(--line);
  border-radius: .75rem; box-shadow: 0 1px 2px #0000000d, 0 8px 24px #0000000f }
h1 { margin: 0 0 .75rem; font-size: 1.5rem; line-height: 1.25 }
h2 { margin: 0 0 .5rem; font-size: 1.05rem }
p, dl, ul, form { margin: 0 0 1.1rem }
h1, h2, p, li, dt, dd { overflow-wrap: anywhere }
a { color: var(--accent) }
.soft { color: var(--soft); font-size: .9rem }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .35rem 1.25rem;
  padding: .8rem 1rem; background: var(--tint); border: 1px solid var(--line); border-radius: .5rem }
dt { color: var(--soft) } dd { margin: 0 }
ul.scopes { padding: 0; list-style: none; border: 1px solid var(--line); border-radius: .5rem }
ul.scopes li { padding: .6rem 1rem } ul.scopes li + li { border-top: 1px solid var(--line) }
label { display: block; margin-bottom: .35rem; font-weight: 600 }
input { width: 100%; padding: .65rem .75rem; border: 1px solid var(--field); border-radius: .5rem;
  background: var(--paper); color: inherit; font: 1.25rem/1.2 ui-monospace, monospace;
  letter-spacing: .15em; text-transform: uppercase }
.actions { display: flex; flex-wrap: wrap; gap: .75rem; margin-top: 1rem }
button { flex: 1 1 9rem; min-height: 2.9rem; padding: .6rem 1rem; border: 1px solid var(--accent);
  border-radius: .5rem; background: var(--accent); color: var(--on-accent); font: inherit;
  font-weight: 600; cursor: pointer }
button:hover { background: var(--accent-strong); border-color: var(--accent-strong) }
button.secondary { background: transparent; border-color: var(--field); color: var(--ink) }
button.secondary:hover { background: var(--tint) }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px }
.notice, [role=alert] { padding: .7rem 1rem; border-left: 4px solid var(--warn);
  border-radius: .25rem .5rem .5rem .25rem; background: var(--warn-tint); font-size: .95rem }
[role=alert] { border-color: var(--bad); background: var(--bad-tint) }
code { padding: .1em .35em; border-radius: .3rem; background: var(--tint); font-size: .92em }
@media (max-width: 26rem) { main { padding: 1.25rem 1.1rem .25rem }
  dl { grid-template-columns: 1fr; gap: 0 } dd + dt { margin-top: .5rem } }
`
