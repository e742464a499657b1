/* SPDX-License-Identifier: Apache-2.0 */
/*
 * heatmap_flame.js - draws the flame graph of some samples as flame_svg.c would, and lets
 * flame_script.c's script make it interactive
 */

/* Adds weight under the key to the nodes of a stack: v now, was before. */
function addStack(root, names, key, weight) {
  let n = root;
  n[key] += weight;
  for (let i = names.length - 1; i >= 0; i--) {
    let c = n.children.get(names[i]);
    if (!c) {
      c = {name: names[i], v: 0, was: 0, children: new Map()};
      n.children.set(names[i], c);
    }
    c[key] += weight;
    n = c;
  }
}

function hsl(name) {
  const family = /^zb_stage_./.test(name) ? 0 : name.endsWith('_[k]') ? 2 : name[0] === '[' ? 3 : 1;
  const f = FAMILIES[family];
  let h = 2166136261;
  for (const c of new TextEncoder().encode(name)) h = Math.imul(h ^ c, 16777619) >>> 0;
  h = (h ^ h >>> 15) >>> 0;
  return 'hsl(' + (f[0] + h % f[1]) + ',' + f[2] + '%,' + (f[3] + (h >>> 8) % 11 - 5) + '%)';
}

function points(n, root) {
  return n.v / root.v - (root.was > 0 ? n.was / root.was : 0);
}

/* As flame_diff.c does it. */
function changeColour(n, root, max) {
  const change = points(n, root), part = max > 0 && Math.abs(change) > 0.0005 ?
    Math.min(1, Math.sqrt(Math.abs(change) / max)) : 0;
  const pale = Math.round(240 - 165 * part);
  if (part === 0) return '#e6e6e6';
  return change > 0 ? 'rgb(245,' + pale + ',' + pale + ')'
    : 'rgb(' + pale + ',' + Math.round(pale * 0.6 + 100) + ',250)';
}

function tipOf(n, root, unit, differs) {
  const share = (100 * n.v / root.v).toFixed(2) + ' %';
  let tip = n.name + '\n' + Math.round(n.v).toLocaleString('en') + ' ' + unit + ', ' + share + ' of all';
  if (differs && n !== root)
    tip += n.was === 0 ? '; new' : '; elsewhere ' + (100 * n.was / root.was).toFixed(2) + ' %';
  return tip;
}

/* The nodes that are wide enough to be seen, parents first, siblings by name. */
function layOut(root, px) {
  const out = [], open = [{n: root, start: 0, depth: 0}];
  while (open.length) {
    const at = open.pop();
    out.push(at);
    let start = at.start;
    const below = [];
    for (const name of Array.from(at.n.children.keys()).sort()) {
      const c = at.n.children.get(name);
      if (c.v * px >= 0.1) below.push({n: c, start: start, depth: at.depth + 1});
      start += c.v;
    }
    while (below.length) open.push(below.pop());
  }
  return out;
}

/* Puts the picture of the tree into box. With differs, colours tell v from was. */
function drawFlame(box, root, title, unit, differs) {
  const NS = 'http://www.w3.org/2000/svg', px = root.v > 0 ? 1180 / root.v : 0;
  const nodes = root.v > 0 ? layOut(root, px) : [];
  const rows = nodes.reduce(function (m, n) { return Math.max(m, n.depth + 1); }, 1);
  const max = nodes.reduce(function (m, n) {
    return n.depth > 0 ? Math.max(m, Math.abs(points(n.n, root))) : m;
  }, 0);
  const height = 98 + rows * 17 + 12;
  function make(parent, name, attrs, text) {
    const e = document.createElementNS(NS, name);
    for (const k in attrs) e.setAttribute(k, attrs[k]);
    if (text !== undefined) e.textContent = text;
    return parent.appendChild(e);
  }
  box.replaceChildren();
  const svg = make(box, 'svg', {'class': 'zbf', width: 1200, height: height,
    viewBox: '0 0 1200 ' + height, 'data-rows': rows, 'data-total': root.v, 'aria-label': title});
  make(svg, 'text', {'class': 'head', x: 10, y: 26}, title);
  make(svg, 'text', {'class': 'sub', x: 10, y: 44}, Math.round(root.v).toLocaleString('en') + ' ' + unit);
  if (root.v === 0) return;
  make(svg, 'text', {'class': 'info', x: 10, y: 90}, ' ');
  for (const at of nodes) {
    const w = at.n.v * px;
    const g = make(svg, 'g', {'class': 'f', 'data-s': at.start, 'data-v': at.n.v, 'data-d': at.depth});
    make(g, 'title', {}, tipOf(at.n, root, unit, differs));
    make(g, 'rect', {x: 10 + at.start * px, y: 98 + (rows - 1 - at.depth) * 17,
      width: w < 3 ? w : w - 0.5, height: 16,
      fill: differs ? (at.n === root ? '#e6e6e6' : changeColour(at.n, root, max)) : hsl(at.n.name)});
  }
  make(svg, 'script', {}, document.getElementById('flame-script').textContent);
  /* Labels are put by the script when it places frames. */
  svg.querySelector('g.f').dispatchEvent(new MouseEvent('click', {bubbles: true}));
}
