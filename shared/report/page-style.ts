/** The style of the page. Each colour has a light and a dark value. Paper is always light. */
export const pageStyle = `
:root {
  color-scheme: light dark;
  --page: light-dark(#f4f5f9, #0f1117);
  --card: light-dark(#ffffff, #181b24);
  --line: light-dark(#e2e5ee, #2a2f3c);
  --text: light-dark(#1a1d29, #e8eaf2);
  --quiet: light-dark(#5b6275, #a3abbe);
  --accent: light-dark(#4f46e5, #8b85ff);
  --good: light-dark(#0a7a4b, #4cd494);
  --warn: light-dark(#9a5b00, #f0b35a);
  --bad: light-dark(#b3261e, #ff8b83);
  --track: light-dark(#e9ebf3, #2a2f3c);
  font: 15px/1.5 system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif;
  background: var(--page);
  color: var(--text);
}
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 1160px; padding: 0 24px 48px; overflow-wrap: anywhere; }
h1, h2, h3, p, ul, dl, dd, table { margin: 0; padding: 0; }
h1 { font-size: 26px; line-height: 1.2; letter-spacing: -0.015em; }
h2 { font-size: 17px; letter-spacing: -0.005em; }
h3 { font-size: 15px; }
a { color: var(--accent); }
a:focus-visible, summary:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; border-radius: 3px; }
code { font: 13px ui-monospace, "Cascadia Code", Consolas, "DejaVu Sans Mono", monospace; }
header { padding: 28px 0 20px; display: grid; gap: 10px; }
.kicker, .quiet, .more, caption { color: var(--quiet); font-size: 13.5px; font-weight: 400; }
.status { font-size: 17px; }
.pill { display: inline-block; border: 1.5px solid; border-radius: 99px; padding: 1px 12px; margin-right: 6px; font-size: 14px; }
.pill.good { color: var(--good); }
.pill.warn { color: var(--warn); }
.pill.bad { color: var(--bad); }
nav { display: flex; flex-wrap: wrap; gap: 4px 18px; font-size: 14px; }
main { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 18px; }
.card { grid-column: 1 / -1; display: grid; gap: 14px; align-content: start; background: var(--card); border: 1px solid var(--line); border-radius: 14px; padding: 18px 20px; min-width: 0; }
.half { grid-column: auto; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 12px; }
.tiles dt { color: var(--quiet); font-size: 13.5px; }
.tiles dd { font-size: 24px; line-height: 1.25; font-weight: 600; font-variant-numeric: tabular-nums; }
.tiles dd.more { font-size: 13.5px; font-weight: 400; }
.issues { display: grid; gap: 18px; }
.issue { display: grid; gap: 4px; border-left: 4px solid var(--bad); padding-left: 14px; }
.issue.calm { border-color: var(--line); }
.names { padding-left: 18px; }
.names.many { columns: 2; column-gap: 28px; }
.names li { break-inside: avoid; padding: 1px 0; }
table { border-collapse: collapse; width: 100%; font-size: 14px; }
caption { text-align: left; padding-bottom: 4px; }
th, td { text-align: left; vertical-align: top; padding: 6px 10px 6px 0; border-bottom: 1px solid var(--line); font-weight: 400; }
thead th { color: var(--quiet); font-size: 13px; }
.number { text-align: right; font-variant-numeric: tabular-nums; padding-right: 0; padding-left: 10px; overflow-wrap: normal; }
.wide th[scope="row"] { width: 34%; }
.wide .number { white-space: nowrap; }
.kind { font-weight: 600; white-space: nowrap; }
td:has(> .kind) { overflow-wrap: normal; }
.kind.created { color: var(--good); }
.kind.updated { color: var(--accent); }
.kind.removed { color: var(--bad); }
.columns { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 310px), 1fr)); gap: 20px 32px; align-items: start; }
svg { display: block; }
.row-bar { margin-top: 4px; }
.track { fill: var(--track); }
rect.accent { fill: var(--accent); }
rect.good { fill: var(--good); }
rect.warn { fill: var(--warn); }
rect.bad { fill: var(--bad); }
rect.neutral { fill: var(--quiet); }
.stack { border-radius: 6px; }
.legend { display: flex; flex-wrap: wrap; gap: 2px 18px; color: var(--quiet); font-size: 13.5px; }
.legend span { display: inline-flex; align-items: center; gap: 6px; }
.chart { display: grid; gap: 2px; }
.title { font-size: 14px; font-weight: 600; }
.plot { display: grid; grid-template-columns: auto minmax(0, 1fr); }
.plot text { font-size: 12px; fill: var(--quiet); font-variant-numeric: tabular-nums; }
.grid { stroke: var(--line); }
details { font-size: 14px; }
summary { cursor: pointer; color: var(--accent); width: fit-content; }
.facts { display: grid; grid-template-columns: minmax(110px, max-content) minmax(0, 1fr); gap: 6px 20px; }
.facts dt { color: var(--quiet); }
@media (max-width: 900px) {
  main { grid-template-columns: minmax(0, 1fr); }
}
@media (max-width: 560px) {
  body { padding: 0 14px 32px; }
  .card { padding: 16px; }
  .names.many { columns: 1; }
  .facts { grid-template-columns: minmax(0, 1fr); gap: 0; }
  .facts dd { margin-bottom: 8px; }
}
@media print {
  :root { color-scheme: light; font-size: 10.5pt; background: #fff; }
  @page { size: A4; margin: 14mm; }
  body { max-width: none; padding: 0; }
  main { gap: 10px; }
  .card { border: 0; border-top: 1px solid var(--line); border-radius: 0; padding: 10px 0; }
  nav, summary { display: none; }
  h2, h3, caption, thead { break-after: avoid; }
  .issue, .chart, tr { break-inside: avoid; }
  svg, .pill { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
`
