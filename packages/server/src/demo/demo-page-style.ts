/**
 * The style of the demo provider's pages. It differs from the server's `PageTheme` on purpose: a
 * provider is a separate party, and people should see that they have left the server.
 */

export const STYLE = `
:root { color-scheme: light dark; --ink: #20242c; --soft: #5b6270; --paper: #fff; --ground: #f4f1ea;
  --line: #ddd6c8; --edge: #8f8676; --accent: #8a4b08 }
@media (prefers-color-scheme: dark) { :root { --ink: #ece8e1; --soft: #b3aa9c; --paper: #221f1a;
  --ground: #161410; --line: #413a2f; --edge: #857b6c; --accent: #f0b063 } }
* { box-sizing: border-box }
body { margin: 0; min-height: 100vh; display: grid; place-content: center;
  grid-template-columns: minmax(0, 26rem); gap: 1rem; padding: 1.5rem 1rem;
  background: var(--ground); color: var(--ink); font: 1rem/1.55 system-ui, sans-serif }
header { padding: 0 .25rem; color: var(--accent); font-weight: 600 }
main { padding: 1.75rem; background: var(--paper); border: 1px solid var(--line);
  border-top: 4px solid var(--accent); border-radius: .5rem }
h1 { margin: 0 0 .75rem; font-size: 1.5rem; line-height: 1.25 }
p { margin: 0 0 1.1rem; overflow-wrap: anywhere }
.soft, small { color: var(--soft) }
button { display: block; width: 100%; margin: 0 0 .75rem; padding: .7rem 1rem; text-align: left;
  border: 1px solid var(--edge); border-radius: .5rem; background: transparent; color: inherit;
  font: inherit; font-weight: 600; cursor: pointer }
button:hover { border-color: var(--accent) }
button.cancel { margin: 0; border-color: transparent; color: var(--soft); text-align: center }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px }
small { display: block; font-weight: 400 }
`
