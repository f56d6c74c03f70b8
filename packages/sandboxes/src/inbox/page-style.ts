/** How the inbox looks: one sheet, no fonts or images from anywhere, light and dark by the reader's choice. */
export const style = `
:root { color-scheme: light dark; --ink: #1c2230; --soft: #667085; --line: #e3e6ec; --page: #f6f7f9; --card: #fff; --accent: #3451d1; --tint: #eef1fd; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6e8ee; --soft: #98a1b3; --line: #2b303b; --page: #14161b; --card: #1c1f26; --accent: #93a7ff; --tint: #232945; }
}
* { box-sizing: border-box; }
body { margin: 0; font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--page); min-height: 100vh; display: flex; flex-direction: column; }
a { color: var(--accent); }
header { display: flex; flex-wrap: wrap; gap: .5rem 1rem; align-items: center; padding: .7rem 1rem; background: var(--card); border-bottom: 1px solid var(--line); }
header h1 { font-size: 1.05rem; margin: 0; flex: 1; white-space: nowrap; }
header h1 a { color: inherit; text-decoration: none; }
form { display: flex; gap: .5rem; margin: 0; }
form.search { flex: 1 1 14rem; max-width: 26rem; }
input, button { font: inherit; color: inherit; background: var(--page); border: 1px solid var(--line); border-radius: 8px; padding: .35rem .7rem; min-width: 0; }
input { flex: 1; }
button { cursor: pointer; }
button:hover { border-color: var(--accent); }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 1px; }
main { flex: 1; display: grid; grid-template-columns: minmax(17rem, 24rem) 1fr; align-items: start; }
nav { background: var(--card); border-right: 1px solid var(--line); border-bottom: 1px solid var(--line); min-height: 100%; }
nav ol { list-style: none; margin: 0; padding: 0; }
nav li a { display: grid; grid-template-columns: 1fr auto; gap: 0 .75rem; padding: .65rem 1rem; color: inherit; text-decoration: none; border-bottom: 1px solid var(--line); }
nav li a:hover, nav li a[aria-current] { background: var(--tint); }
nav li a[aria-current] { box-shadow: inset 3px 0 var(--accent); }
nav strong, nav span { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; font-weight: 600; }
nav span { font-weight: 400; color: var(--soft); }
time, .soft { color: var(--soft); }
nav time { font-size: .85rem; }
nav .older { display: block; padding: .8rem 1rem; text-align: center; }
.empty { padding: 4rem 1.5rem; text-align: center; color: var(--soft); }
article { padding: 1.25rem clamp(1rem, 3vw, 2rem) 2rem; min-width: 0; }
article h2 { margin: 0 0 .6rem; font-size: 1.35rem; line-height: 1.3; overflow-wrap: anywhere; }
dl { display: grid; grid-template-columns: auto 1fr; gap: .15rem 1rem; margin: 0 0 1rem; }
dt { color: var(--soft); }
dd { margin: 0; overflow-wrap: anywhere; min-width: 0; }
.links { margin: 0 0 1rem; padding: .7rem 1rem; background: var(--tint); border-radius: 10px; }
.links ul { margin: .2rem 0 0; padding: 0; list-style: none; }
.links a, pre a { overflow-wrap: anywhere; }
iframe { display: block; width: 100%; height: 65vh; border: 1px solid var(--line); border-radius: 10px; background: #fff; color-scheme: light; resize: vertical; }
details { margin-top: .9rem; background: var(--card); border: 1px solid var(--line); border-radius: 10px; }
summary { padding: .55rem 1rem; cursor: pointer; font-weight: 600; }
pre, details dl { margin: 0; padding: .3rem 1rem .9rem; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; font: 13.5px/1.55 ui-monospace, monospace; }
details dl { font-size: .87rem; }
.back { display: none; }
@media (max-width: 760px) {
  form.search { order: 1; flex-basis: 100%; max-width: none; }
  main { grid-template-columns: 1fr; }
  nav { border-right: 0; }
  .reading nav, .listing article { display: none; }
  .back { display: inline-block; margin-bottom: .6rem; }
  details dl { grid-template-columns: 1fr; }
}
`;
