#include "runs/report/style.h"

namespace inlay {

// Colours mean the same everywhere: teal is right, trained or best; amber is wrong or measured on
// validation rows. They stay apart for people who do not tell red from green.
const char* const kReportStyle = R"css(
:root {
  color-scheme: light dark;
  --paper: #f7f5f0; --panel: #fffefb; --ink: #1f1d1a; --soft: #6b665d; --rule: #e3ded3;
  --teal: #0e6f66; --teal-rgb: 14 111 102; --amber: #b4641a; --amber-rgb: 196 112 32;
  --on-deep: #fff; --on-amber: #1f1d1a; --shadow: 0 1px 2px rgb(60 50 30 / .05), 0 6px 20px rgb(60 50 30 / .045);
  --display: "Iowan Old Style", "Palatino Linotype", Palatino, "Book Antiqua", P052, "Noto Serif", Georgia, serif;
  --sans: ui-sans-serif, system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", sans-serif;
  --mono: ui-monospace, "SF Mono", Menlo, Consolas, "Liberation Mono", monospace;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #141412; --panel: #1d1c1a; --ink: #ece8df; --soft: #a29b8e; --rule: #34312c;
    --teal: #5fc9bb; --teal-rgb: 64 176 162; --amber: #e3a153; --amber-rgb: 214 138 58;
    --on-deep: #0d1110; --on-amber: #0d1110; --shadow: none;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; scroll-behavior: smooth; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.55 var(--sans); }
main { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); column-gap: 44px; }
main, header, footer { max-width: 1080px; margin: 0 auto; padding: 0 28px; }
header { padding-top: 52px; }
h1 { font: 600 clamp(1.9rem, 4.6vw, 2.9rem)/1.12 var(--display); letter-spacing: -.012em; margin: 18px 0 14px; text-wrap: balance; overflow-wrap: anywhere; }
h2 { font: 600 1.5rem/1.2 var(--display); letter-spacing: -.005em; margin: 0 0 4px; }
p { margin: 0; text-wrap: pretty; }
.brand { display: flex; align-items: center; gap: 11px; color: var(--soft); font-size: .84rem; letter-spacing: .03em; }
.brand svg { width: 26px; height: 26px; flex: none; }
.brand .frame { fill: none; stroke: var(--ink); stroke-width: 1.6; }
.brand .piece { fill: var(--teal); }
.brand b { color: var(--ink); font-weight: 650; }
.lead { font-size: 1.14rem; max-width: 46em; color: var(--ink); }
.lead + .lead { margin-top: 8px; color: var(--soft); font-size: 1rem; }
.lead span { white-space: nowrap; }
.lead strong { font-weight: 650; color: var(--teal); white-space: nowrap; }
nav { display: flex; flex-wrap: wrap; gap: 4px 22px; margin: 30px 0 0; padding: 11px 0; border-block: 1px solid var(--rule); font-size: .88rem; }
nav a { color: var(--soft); text-decoration: none; }
nav a:hover, nav a:focus-visible { color: var(--teal); text-decoration: underline; text-underline-offset: 4px; }
:focus-visible { outline: 2px solid var(--teal); outline-offset: 3px; border-radius: 4px; }
section { grid-column: 1 / -1; margin: 58px 0 0; scroll-margin-top: 20px; min-width: 0; }
section.half { grid-column: span 1; }
section > .how { color: var(--soft); font-size: .95rem; max-width: 46em; margin-bottom: 20px; }

.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(164px, 1fr)); gap: 14px; margin: 26px 0 0; }
.tiles.metrics { grid-template-columns: repeat(auto-fit, minmax(210px, 1fr)); }
.tiles.metrics + .tiles { margin-top: 14px; }
.tiles > div, .panel { background: var(--panel); border: 1px solid var(--rule); border-radius: 12px; box-shadow: var(--shadow); }
.tiles > div { padding: 16px 18px 15px; display: flex; flex-direction: column; }
.tiles dt { color: var(--soft); font-size: .84rem; }
.tiles dd { margin: 0; }
.tiles .value { font: 600 clamp(1.35rem, 2.6vw, 1.95rem)/1.25 var(--display); white-space: nowrap; font-variant-numeric: lining-nums tabular-nums; letter-spacing: -.01em; margin: 3px 0 2px; }
.metrics .value { color: var(--teal); font-size: 2.7rem; line-height: 1.1; }
.tiles .small { color: var(--soft); font-size: .83rem; line-height: 1.4; }
.range { position: relative; height: 6px; border-radius: 3px; background: var(--rule); margin: 10px 0 8px; }
.range i { position: absolute; inset-block: 0; left: calc(var(--low) * 100%); width: max(3px, calc((var(--high) - var(--low)) * 100%)); background: rgb(var(--teal-rgb) / .42); border-radius: 3px; }
.range b { position: absolute; top: -3px; width: 3px; height: 12px; border-radius: 2px; margin-left: -1.5px; left: calc(var(--at) * 100%); background: var(--teal); }

.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 400px), 1fr)); gap: 18px; align-items: start; }
figure { margin: 0; }
.panel { padding: 16px 18px 12px; min-width: 0; }
.panel.narrow { max-width: 420px; }
.panel svg { display: block; width: 100%; height: auto; overflow: visible; }
figcaption { display: flex; flex-wrap: wrap; gap: 2px 16px; align-items: baseline; font-size: .84rem; color: var(--soft); margin-bottom: 6px; }
figcaption b { color: var(--ink); font-size: .95rem; font-weight: 600; margin-right: auto; }
.narrow figcaption { margin: 8px 0 4px; }
.settings { font: .86rem/1.5 var(--mono); margin-bottom: 18px; overflow-wrap: anywhere; }
.note { color: var(--soft); font-size: .9rem; margin-top: 12px; }
.key { display: inline-flex; align-items: center; gap: 6px; }
.swatch { width: 16px; height: 0; border-top: 2.5px solid var(--soft); border-radius: 2px; }
.swatch.raw { border-color: rgb(var(--teal-rgb) / .35); }
.swatch.train { border-color: var(--teal); }
.swatch.validation { border-color: var(--amber); }
svg text { font: 12px var(--sans); fill: var(--soft); font-variant-numeric: tabular-nums; }
svg .end { text-anchor: end; }
svg .middle { text-anchor: middle; }
svg .strong { fill: var(--ink); font-weight: 600; paint-order: stroke; stroke: var(--panel); stroke-width: 4px; stroke-linejoin: round; }
svg .grid { stroke: var(--rule); stroke-width: 1; }
svg .axis { stroke: var(--soft); stroke-width: 1; opacity: .7; }
svg .line { fill: none; stroke: var(--soft); stroke-width: 2; stroke-linejoin: round; stroke-linecap: round; }
svg .line.raw { stroke: rgb(var(--teal-rgb) / .3); stroke-width: 1; }
svg .line.train { stroke: var(--teal); stroke-width: 2.4; }
svg .line.validation { stroke: var(--amber); }
svg .line.diagonal { stroke-dasharray: 4 5; stroke-width: 1.3; }
svg .dot { fill: var(--teal); }
svg .dot.validation { fill: var(--amber); stroke: var(--panel); stroke-width: 1.2; }
svg .dot.best { fill: var(--teal); stroke: var(--panel); stroke-width: 2; }
svg .dot.scatter { fill: rgb(var(--teal-rgb) / .5); }
svg .bar { fill: rgb(var(--teal-rgb) / .26); }

.scroll { overflow-x: auto; -webkit-overflow-scrolling: touch; }
table { border-collapse: collapse; font-variant-numeric: lining-nums tabular-nums; font-size: .93rem; }
caption { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
th { font-weight: 550; text-align: left; }
thead th { color: var(--soft); font-size: .83rem; font-weight: 500; white-space: nowrap; }
.number { text-align: right; white-space: nowrap; }
.plain { width: 100%; }
.plain th, .plain td { padding: 9px 12px; border-bottom: 1px solid var(--rule); }
.plain thead th { padding-block: 6px; border-bottom-color: var(--soft); vertical-align: bottom; }
.plain tr > :first-child { padding-left: 2px; }
.plain tr > :last-child { padding-right: 2px; }
.plain tbody th { overflow-wrap: anywhere; min-width: 7em; }
.bar-cell { min-width: 78px; }
.bar-cell span { display: block; padding-bottom: 5px; background: linear-gradient(rgb(var(--teal-rgb) / .62) 0 0) 0 100% / calc(var(--share) * 100%) 4px no-repeat, linear-gradient(var(--rule) 0 0) 0 100% / 100% 4px no-repeat; }
.pooled > * { font-weight: 650; border-bottom: 0 !important; border-top: 1.5px solid var(--soft); padding-bottom: 2px !important; }
.interval > * { color: var(--soft); font-weight: 400; font-size: .86rem; padding-top: 0 !important; }

.confusion { border-collapse: separate; border-spacing: 3px; }
.confusion th { font-size: .86rem; padding: 4px 6px; color: var(--ink); font-weight: 500; max-width: 130px; }
.confusion thead th { text-align: center; vertical-align: bottom; white-space: normal; line-height: 1.25; max-width: 96px; overflow-wrap: break-word; }
.confusion tbody th { text-align: right; }
.confusion thead .corner { color: var(--soft); font-size: .78rem; text-align: right; width: auto; max-width: none; white-space: pre-line; }
.confusion td { min-width: 66px; height: 56px; padding: 4px; border-radius: 7px; text-align: center; line-height: 1.2; }
.confusion td b { display: block; font-weight: 600; }
.confusion td small { font-size: .76rem; opacity: .82; }
.confusion .right { background: rgb(var(--teal-rgb) / calc(.06 + var(--share) * .9)); }
.confusion .wrong { background: rgb(var(--amber-rgb) / calc(.07 + var(--share) * 2.2)); }
.confusion .none { background: none; box-shadow: inset 0 0 0 1px var(--rule); color: var(--soft); }
.confusion .deep.right { color: var(--on-deep); }
.confusion .deep.wrong { color: var(--on-amber); }

.mistakes { list-style: none; padding: 0; margin: 0; display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 440px), 1fr)); gap: 0 34px; }
.mistakes li { border-top: 1px solid var(--rule); padding: 14px 0 16px; display: flex; flex-direction: column; gap: 9px; break-inside: avoid; min-width: 0; }
.mistakes p { font: 1.05rem/1.45 var(--display); overflow-wrap: anywhere; white-space: pre-line; }
.mistakes img { width: 112px; height: 112px; object-fit: contain; background: rgb(var(--teal-rgb) / .06); border-radius: 4px; }
.verdict { display: flex; flex-wrap: wrap; align-items: center; gap: 5px 8px; font-size: .83rem; color: var(--soft); margin-top: auto; }
.chip { padding: 1px 9px; border-radius: 99px; font-size: .8rem; font-weight: 550; overflow-wrap: anywhere; }
.chip.right { color: var(--teal); background: rgb(var(--teal-rgb) / .13); }
.chip.wrong { color: var(--amber); background: rgb(var(--amber-rgb) / .15); }
.sureness { padding: 0 2px 3px; background: linear-gradient(var(--amber) 0 0) 0 100% / calc(var(--share) * 100%) 2px no-repeat, linear-gradient(var(--rule) 0 0) 0 100% / 100% 2px no-repeat; font-variant-numeric: tabular-nums; }
.row-number { margin-left: auto; font-variant-numeric: tabular-nums; }

.legend { display: flex; flex-wrap: wrap; gap: 4px 20px; font-size: .84rem; color: var(--soft); margin-bottom: 14px; }
.outline { width: 18px; height: 12px; border: 2px solid var(--teal); border-radius: 2px; }
.outline.missed { border: 2px dashed var(--amber); }
.outline.false { border-color: var(--amber); }
.pictures { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 240px), 1fr)); gap: 20px; align-items: start; }
.pictures.small { grid-template-columns: repeat(auto-fill, minmax(112px, 1fr)); gap: 14px; }
.pictures figure { min-width: 0; break-inside: avoid; }
.pictures img { display: block; width: 100%; height: auto; border-radius: 4px; }
.pictures figcaption { margin: 6px 0 0; overflow-wrap: anywhere; }
.pictures .counts { margin-left: auto; font-variant-numeric: tabular-nums; }
.boxed { position: relative; }
.boxed svg { position: absolute; inset: 0; width: 100%; height: 100%; overflow: visible; }
.boxed rect { fill: none; pointer-events: all; stroke: var(--teal); stroke-width: 2.5px; vector-effect: non-scaling-stroke; filter: drop-shadow(0 0 1px rgb(0 0 0 / .7)); }
.boxed rect.missed { stroke: var(--amber); stroke-dasharray: 6 4; }
.boxed rect.false { stroke: var(--amber); }
.pairs { list-style: none; padding: 0; margin: 0; display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 250px), 1fr)); gap: 20px 28px; }
.pairs li { border-top: 1px solid var(--rule); padding-top: 12px; display: flex; flex-direction: column; gap: 9px; break-inside: avoid; }
.both { display: flex; gap: 6px; }
.both img { width: 112px; height: 112px; object-fit: contain; background: rgb(var(--teal-rgb) / .06); border-radius: 4px; }

.facts { display: grid; grid-template-columns: repeat(auto-fill, minmax(190px, 1fr)); gap: 14px 28px; margin: 0 0 24px; }
.facts > div { border-top: 1px solid var(--rule); padding-top: 8px; }
.facts dt { color: var(--soft); font-size: .84rem; }
.facts dd { margin: 0; font-size: 1.12rem; font-weight: 600; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
.facts dd small { display: block; color: var(--soft); font-weight: 400; font-size: .83rem; }
.inlaid { border-collapse: separate; border-spacing: 4px; }
.inlaid thead th { text-align: center; font-size: .76rem; }
.inlaid thead th:first-child { text-align: right; padding-right: 10px; }
.inlaid tbody th { text-align: right; padding-right: 10px; white-space: nowrap; font-size: .9rem; font-weight: 500; }
.inlaid td.number { padding-left: 12px; color: var(--soft); }
.tile { width: 32px; min-width: 32px; height: 32px; padding: 0; border-radius: 6px; background: var(--panel); box-shadow: inset 0 0 0 1px var(--rule); text-align: center; vertical-align: middle; }
.tile i { display: inline-block; vertical-align: middle; width: calc(var(--side) * var(--piece, 19px)); height: calc(var(--side) * var(--piece, 19px)); background: var(--teal); border-radius: 2px; transform: rotate(45deg); }
.dense { border-spacing: 2px; }
.dense .tile { --piece: 12px; width: 20px; min-width: 20px; height: 20px; border-radius: 4px; }
.tile:not(.empty) { background: rgb(var(--teal-rgb) / .12); }
.moved { border-collapse: separate; border-spacing: 3px; }
.moved thead th { text-align: center; font-size: .76rem; }
.moved tbody th { text-align: right; padding-right: 10px; white-space: nowrap; font-size: .9rem; font-weight: 500; }
.moved thead th:first-child { text-align: right; padding-right: 10px; }
.moved td { min-width: 50px; height: 34px; padding: 2px 5px; border-radius: 6px; text-align: center; font-size: .8rem; background: rgb(var(--teal-rgb) / calc(.06 + var(--share, 0) * .9)); }
.moved .deep { color: var(--on-deep); }
.moved .none { background: none; box-shadow: inset 0 0 0 1px var(--rule); }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
.comparison .strip { min-width: 220px; width: 38%; padding-block: 0; }
.strip svg { display: block; width: 100%; height: auto; overflow: visible; }
.strip circle { fill: var(--soft); }
.strip .whisker { stroke: var(--soft); stroke-width: 2.4; stroke-linecap: round; opacity: .75; }
.chosen .strip circle { fill: var(--teal); }
.chosen .strip .whisker { stroke: var(--teal); }
.comparison tbody th { min-width: 10em; }
.comparison .chip { margin-left: 8px; white-space: nowrap; }

details { background: var(--panel); border: 1px solid var(--rule); border-radius: 12px; }
summary { cursor: pointer; padding: 13px 18px; font-weight: 550; }
pre { margin: 0; padding: 4px 18px 18px; overflow-x: auto; font: .8rem/1.5 var(--mono); }
footer { color: var(--soft); font-size: .84rem; padding-block: 60px 44px; overflow-wrap: anywhere; }

@media (max-width: 880px) {
  main { grid-template-columns: minmax(0, 1fr); }
}
@media (max-width: 560px) {
  main, header, footer { padding-inline: 18px; }
  header { padding-top: 30px; }
  section { margin-top: 44px; }
  .tiles, .tiles.metrics { grid-template-columns: 1fr 1fr; gap: 10px; }
  .tiles > div { padding: 12px 13px; }
  .tiles .value { font-size: 1.5rem; }
  .metrics .value { font-size: 1.9rem; }
  .panel { padding: 12px 12px 8px; }
  .facts { grid-template-columns: 1fr 1fr; gap: 12px 18px; }
  .confusion td { min-width: 54px; }
  svg text { font-size: 13.5px; }
}
@media print {
  :root {
    --paper: #fff; --panel: #fff; --ink: #000; --soft: #555; --rule: #ccc; --shadow: none;
    --teal: #0e6f66; --teal-rgb: 14 111 102; --amber: #b4641a; --amber-rgb: 196 112 32; --on-deep: #fff; --on-amber: #000;
  }
  * { -webkit-print-color-adjust: exact; print-color-adjust: exact; }
  body { font-size: 10.5pt; }
  header { padding-top: 0; }
  nav { display: none; }
  @page { margin: 16mm; }
  main { display: block; }
  main, header, footer { max-width: none; padding-inline: 0; }
  section { margin-top: 28px; }
  .pair { grid-template-columns: 1fr 1fr; }
  .pair svg text { font-size: 15px; }
  .plain { font-size: .84rem; }
  .plain th, .plain td { padding: 6px 7px; }
  .comparison .strip { min-width: 120px; width: 26%; }
  .comparison tbody th, .plain tbody th { min-width: 0; }
  .bar-cell { min-width: 56px; }
  .confusion td { min-width: 46px; height: 46px; }
  .panel, .tiles > div, tr, li, .facts > div { break-inside: avoid; }
  h2, .how { break-after: avoid; }
  .scroll { overflow: visible; }
}
)css";

}  // namespace inlay
