/** The sign-in page's one style sheet: inline, allowed by its hash. */
export const style = `
:root { color-scheme: light dark; --line: light-dark(#d6dae0, #3a414b); --accent: light-dark(#7a3ff2, #b79bff); --soft: light-dark(#5d6673, #9aa4b1); }
body { margin: 0; font: 16px/1.5 system-ui, sans-serif; background: light-dark(#f5f3fa, #15131c); }
main { max-width: 26rem; margin: 4vh auto; padding: 1.5rem; }
h1 { margin: 0; font-size: 1.5rem; }
h2 { margin: 1.75rem 0 .5rem; font-size: 1rem; }
p { margin: .25rem 0 1rem; color: var(--soft); overflow-wrap: anywhere; }
form { display: grid; gap: .5rem; margin: 0 0 .5rem; }
button, input { font: inherit; padding: .6rem .8rem; border: 1px solid var(--line); border-radius: 8px; background: Canvas; color: CanvasText; }
button { cursor: pointer; text-align: left; }
button:hover { border-color: var(--accent); }
button small { display: block; color: var(--soft); overflow-wrap: anywhere; }
label { display: grid; gap: .2rem; }
label.check { display: flex; gap: .5rem; align-items: center; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 1px; }
`;
