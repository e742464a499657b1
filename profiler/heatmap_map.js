/* SPDX-License-Identifier: Apache-2.0 */
/*
 * heatmap_map.js - the heat map, the strips below it, and what a person does with them
 *
 * A column of the map is fifty rows of time, a second where rows are of 20 ms; time runs upwards in
 * a column, then to the right. What is selected is a range of time.
 */
const ROWS = 50, ROW_PX = 4, LEFT = 84, RIGHT = 10, WIDTH = 1200, INNER = WIDTH - LEFT - RIGHT;
const MAP_PX = ROWS * ROW_PX, STRIP_PX = 46, AXIS_PX = 22, ZOOM_MIN_COLUMNS = 2;
const STATES = ['on the CPU', 'waiting', 'preempted'];

function $(id) { return document.getElementById(id); }

function niceStep(span, most) {
  let step = Math.pow(10, Math.floor(Math.log10(span / most)));
  for (const m of [1, 2, 5, 10]) if (span / (step * m) <= most) return step * m;
  return step * 10;
}
function short(v) {
  for (const [unit, size] of [['G', 1e9], ['M', 1e6], ['k', 1e3]])
    if (v >= size) return (v / size).toPrecision(3).replace(/\.?0+$/, '') + unit;
  return String(Math.round(v * 100) / 100);
}
function seconds(t) { return (Math.round(t * 1000) / 1000) + ' s'; }

function heatMap(d) {
  const rowS = Math.max(0.02, d.columnNs / 1e9), unitS = rowS * ROWS;
  const lastAt = d.at.length ? (d.at[d.at.length - 1] + 1) * d.columnNs / 1e9 : 0;
  const endS = Math.max(unitS, d.durationNs / 1e9, lastAt), units = Math.ceil(endS / unitS);
  const names = d.stacks.map(function (s) {
    return s.length ? s.map(function (f) { return d.frames[f]; }) : ['[no stack]'];
  });
  const isIdle = names.map(function (s) { return s.includes('zb_idle_poll'); });
  const map = $('map'), strips = $('strips');
  let view = [0, units * unitS], range = null, drag = null, grid = null, gridMax = 1;
  let keep = [], lane = -1, state = 0; /* lane -1: all */

  /* --- what is counted --- */

  function wanted(i) {
    return keep[d.stack[i]] && d.state[i] === state && (lane < 0 || d.lane[i] === lane);
  }
  function filter() {
    const input = $('search');
    let re = null;
    input.classList.remove('bad');
    lane = Number($('lane').value);
    state = Number($('state').value);
    try {
      if (input.value) re = new RegExp(input.value, input.value === input.value.toLowerCase() ? 'i' : '');
    } catch (e) {
      input.classList.add('bad');
      return;
    }
    keep = names.map(function (s, i) {
      return !($('idle').checked && isIdle[i]) && (!re || s.some(function (n) { return re.test(n); }));
    });
    grid = new Float32Array(units * ROWS);
    for (let i = 0; i < d.at.length; i++) {
      if (!wanted(i)) continue;
      const row = Math.floor(d.at[i] * d.columnNs / 1e9 / rowS + 1e-6);
      if (row < grid.length) grid[row] += d.weight[i];
    }
    gridMax = grid.reduce(function (m, v) { return Math.max(m, v); }, 1);
    measure();
    draw();
    flame();
  }

  /* --- drawing --- */

  function px(t) { return LEFT + (t - view[0]) / (view[1] - view[0]) * INNER; }
  function timeAt(x) { return view[0] + (x - LEFT) / INNER * (view[1] - view[0]); }
  function shade(v) {
    const p = Math.sqrt(v / gridMax);
    return [255, Math.round(245 - 200 * p), Math.round(215 - 215 * Math.min(1, 1.4 * p))];
  }
  /* Where several columns share a pixel, the hottest one is shown. */
  function drawCells(c) {
    const image = c.createImageData(INNER, MAP_PX);
    for (let x = 0; x < INNER; x++) {
      const from = Math.floor(timeAt(LEFT + x) / unitS + 1e-9);
      const to = Math.max(from + 1, Math.floor(timeAt(LEFT + x + 1) / unitS + 1e-9));
      for (let row = 0; row < ROWS; row++) {
        let v = 0;
        for (let u = Math.max(0, from); u < to && u < units; u++) v = Math.max(v, grid[u * ROWS + row]);
        const rgb = v > 0 ? shade(v) : [250, 250, 250];
        for (let y = 0; y < ROW_PX; y++) {
          const at = (((ROWS - 1 - row) * ROW_PX + y) * INNER + x) * 4;
          image.data.set([rgb[0], rgb[1], rgb[2], 255], at);
        }
      }
    }
    c.putImageData(image, LEFT, 0);
  }
  function drawRange(c) {
    if (!range) return;
    c.fillStyle = 'rgba(60,90,255,.28)';
    const first = Math.floor(range[0] / unitS + 1e-9), last = Math.ceil(range[1] / unitS - 1e-9);
    for (let u = Math.max(first, Math.floor(view[0] / unitS)); u < last && u * unitS < view[1]; u++) {
      const from = Math.max(0, (range[0] - u * unitS) / unitS), to = Math.min(1, (range[1] - u * unitS) / unitS);
      const x = Math.max(LEFT, px(u * unitS)), right = Math.min(WIDTH - RIGHT, px((u + 1) * unitS));
      c.fillRect(x, (1 - to) * MAP_PX, Math.max(1, right - x), (to - from) * MAP_PX);
    }
  }
  function drawAxis(c, y) {
    const span = view[1] - view[0], step = niceStep(span, 12);
    c.fillStyle = '#222';
    c.textAlign = 'center';
    for (let t = Math.ceil(view[0] / step) * step; t <= view[1] + 1e-9; t += step) {
      c.fillRect(px(t), y, 1, 4);
      c.fillText(seconds(t), Math.min(px(t), WIDTH - 24), y + 15);
    }
  }
  function drawMap() {
    const c = map.getContext('2d');
    c.clearRect(0, 0, WIDTH, map.height);
    c.font = '11px ui-monospace,Menlo,Consolas,monospace';
    c.fillStyle = '#222';
    c.textAlign = 'right';
    for (let i = 0; i <= 4; i++)
      c.fillText(Math.round(unitS * 1000 * i / 4) + ' ms', LEFT - 6, MAP_PX - i * (MAP_PX - 10) / 4);
    drawCells(c);
    drawRange(c);
    drawAxis(c, MAP_PX + 2);
  }

  /* --- strips: one per figure, each value from the snapshot before to its own --- */

  const FIGURES = [
    {name: 'packets/s', at: 2, rate: true, colour: '#7a9'},
    {name: 'drops/s', at: 3, rate: true, colour: '#c33'},
    {name: 'lag ms', at: 4, scale: 1e-6, worst: true, colour: '#a6c'},
    {name: 'queue pkts', at: 5, colour: '#48b'},
    {name: 'flows', at: 6, colour: '#5a5'},
    {name: 'state bytes', at: 7, colour: '#b83'},
  ];
  const slotS = d.slotNs / 1e9;

  /* For each slot of time with news: [from, to, value]. Lanes are added up; of lags, the worst. */
  function stepsOf(figure) {
    const lanes = new Map();
    for (const v of d.values) {
      if (lane >= 0 && v[1] !== lane) continue;
      if (!lanes.has(v[1])) lanes.set(v[1], []);
      lanes.get(v[1]).push(v);
    }
    const slots = new Map();
    for (const list of lanes.values()) {
      let before = 0;
      for (const v of list) {
        const to = v[0] + 1, width = to - before;
        let value = v[figure.at] * (figure.scale || 1);
        if (figure.rate) value /= width * slotS;
        for (let s = before; s < to; s++)
          slots.set(s, figure.worst ? Math.max(slots.get(s) || 0, value) : (slots.get(s) || 0) + value);
        before = to;
      }
    }
    return slots;
  }
  let steps = [];
  function drawStrips() {
    const c = strips.getContext('2d');
    strips.height = Math.max(1, steps.length * STRIP_PX + 4);
    c.font = '11px ui-monospace,Menlo,Consolas,monospace';
    steps.forEach(function (s, i) {
      const top = i * STRIP_PX + 6, high = STRIP_PX - 12;
      const peaks = new Float64Array(INNER);
      let max = 0;
      for (const [slot, v] of s.slots) {
        const from = Math.floor(px(slot * slotS) - LEFT), to = Math.ceil(px((slot + 1) * slotS) - LEFT);
        for (let x = Math.max(0, from); x < Math.min(INNER, Math.max(to, from + 1)); x++)
          peaks[x] = Math.max(peaks[x], v);
        if (to > 0 && from < INNER) max = Math.max(max, v);
      }
      c.fillStyle = '#f6f6f6';
      c.fillRect(LEFT, top, INNER, high);
      c.fillStyle = s.figure.colour;
      for (let x = 0; x < INNER; x++) {
        const h = max > 0 ? peaks[x] / max * high : 0;
        if (h > 0) c.fillRect(LEFT + x, top + high - Math.max(1, h), 1, Math.max(1, h));
      }
      c.fillStyle = '#222';
      c.textAlign = 'right';
      c.fillText(s.figure.name, LEFT - 4, top + 11);
      c.fillText(short(max), LEFT - 4, top + 24);
      if (range) {
        c.fillStyle = 'rgba(60,90,255,.16)';
        c.fillRect(Math.max(LEFT, px(range[0])), top, Math.max(1, Math.min(WIDTH - RIGHT, px(range[1])) -
          Math.max(LEFT, px(range[0]))), high);
      }
    });
  }
  function draw() {
    drawMap();
    drawStrips();
  }

  /* --- the flame graph of the range --- */

  function flame() {
    const differs = $('rest').checked && range !== null;
    const root = {name: 'all', v: 0, was: 0, children: new Map()};
    const from = range ? Math.round(range[0] * 1e9) : 0, to = range ? Math.round(range[1] * 1e9) : Infinity;
    const now = new Float64Array(names.length), was = new Float64Array(names.length);
    for (let i = 0; i < d.at.length; i++) {
      const t = d.at[i] * d.columnNs, inside = t >= from && t < to;
      if ((inside || differs) && wanted(i)) (inside ? now : was)[d.stack[i]] += d.weight[i];
    }
    for (let i = 0; i < names.length; i++) {
      if (now[i] > 0) addStack(root, names[i], 'v', now[i]);
      if (was[i] > 0) addStack(root, names[i], 'was', was[i]);
    }
    const what = range ? seconds(range[0]) + ' to ' + seconds(range[1]) : 'the whole time';
    drawFlame($('flame'), root, what + (differs ? ', against the rest' : ''),
      state === 0 ? 'samples' : 'us', differs);
    $('cut').textContent = range ? 'the same as a file: ' : 'drag over the map, or over the strips, to ' +
      'select a range of time; its flame graph is below. The wheel zooms.';
    if (range) {
      const code = document.createElement('code');
      code.textContent = 'zbench flame ' + SOURCE + '@' + Math.round(range[0] * 1e6) / 1e6 + '-' +
        Math.round(range[1] * 1e6) / 1e6;
      $('cut').append(code);
    }
  }

  /* --- what a person does --- */

  function setView(from, to) {
    const span = Math.min(Math.max(to - from, ZOOM_MIN_COLUMNS * unitS), units * unitS);
    const left = Math.min(Math.max(0, from), units * unitS - span);
    view = [left, left + span];
    draw();
  }
  function select(r) {
    range = r && r[1] > r[0] ? [Math.max(0, r[0]), Math.min(r[1], units * unitS)] : null;
    draw();
  }
  /* The cell under the pointer, as a range of time. */
  function cellAt(e) {
    const u = Math.min(Math.max(0, Math.floor(timeAt(e.offsetX) / unitS + 1e-9)), units - 1);
    const row = Math.min(Math.max(0, ROWS - 1 - Math.floor(e.offsetY / ROW_PX)), ROWS - 1);
    return [u * unitS + row * rowS, u * unitS + (row + 1) * rowS];
  }
  function columnAt(e) {
    const u = Math.min(Math.max(0, Math.floor(timeAt(e.offsetX) / unitS + 1e-9)), units - 1);
    return [u * unitS, (u + 1) * unitS];
  }
  function say(e, at) {
    const cell = at(e), u = Math.floor(cell[0] / unitS + 1e-9), row = Math.round((cell[0] - u * unitS) / rowS);
    const words = [seconds(cell[0])];
    if (at === cellAt) words.push(grid[u * ROWS + row] + (state === 0 ? ' samples' : ' us'));
    const slot = Math.floor(timeAt(e.offsetX) / slotS + 1e-9);
    for (const s of steps) if (s.slots.has(slot)) words.push(s.figure.name + ' ' + short(s.slots.get(slot)));
    $('say').textContent = words.join('   ');
  }
  function listen(canvas, at) {
    canvas.addEventListener('mousedown', function (e) {
      if (e.button !== 0) return;
      drag = {from: at(e), at: at, canvas: canvas};
      select(drag.from);
      e.preventDefault();
      map.focus();
    });
    canvas.addEventListener('mousemove', function (e) {
      say(e, at);
      if (!drag || drag.canvas !== canvas) return;
      const to = at(e);
      select([Math.min(drag.from[0], to[0]), Math.max(drag.from[1], to[1])]);
    });
    canvas.addEventListener('wheel', function (e) {
      const t = timeAt(e.offsetX), k = e.deltaY > 0 ? 1.3 : 1 / 1.3;
      setView(t - (t - view[0]) * k, t + (view[1] - t) * k);
      e.preventDefault();
    }, {passive: false});
  }
  addEventListener('mouseup', function () {
    if (!drag) return;
    drag = null;
    flame();
  });
  listen(map, cellAt);
  listen(strips, columnAt);
  map.addEventListener('keydown', function (e) {
    const span = view[1] - view[0];
    if (e.key === 'Escape') { select(null); flame(); }
    else if (e.key === 'ArrowLeft') setView(view[0] - span / 4, view[1] - span / 4);
    else if (e.key === 'ArrowRight') setView(view[0] + span / 4, view[1] + span / 4);
    else if (e.key === '+') setView(view[0] + span / 4, view[1] - span / 4);
    else if (e.key === '-') setView(view[0] - span / 4, view[1] + span / 4);
    else return;
    e.preventDefault();
  });
  $('in').addEventListener('click', function () {
    if (range) setView(Math.floor(range[0] / unitS) * unitS, Math.ceil(range[1] / unitS) * unitS);
  });
  $('out').addEventListener('click', function () {
    const span = view[1] - view[0];
    setView(view[0] - span / 2, view[1] + span / 2);
  });
  $('whole').addEventListener('click', function () { setView(0, units * unitS); });

  /* --- to begin with --- */

  function choose(id, options) {
    for (const [value, text] of options) $(id).add(new Option(text, value));
    $(id).closest('label').classList.toggle('gone', options.length < 2);
  }
  function measure() {
    steps = FIGURES.map(function (f) { return {figure: f, slots: stepsOf(f)}; }).filter(function (s) {
      return Array.from(s.slots.values()).some(function (v) { return v > 0; });
    });
  }
  choose('lane', [[-1, 'all']].concat(d.lanes.length > 1 ? d.lanes.map(function (l, i) {
    return [i, l.name];
  }) : []));
  choose('state', STATES.map(function (s, i) { return [i, s]; }).filter(function (s) {
    return s[0] === 0 || d.state.includes(s[0]);
  }));
  $('idle').closest('label').classList.toggle('gone', !isIdle.includes(true));
  for (const id of ['lane', 'state', 'idle', 'rest'])
    $(id).addEventListener('change', filter);
  $('search').addEventListener('input', filter);
  filter();
}

inflate($('samples').textContent.trim()).then(parseSamples).then(heatMap).catch(function (e) {
  $('say').textContent = 'the samples cannot be read: ' + e.message;
});
