/* SPDX-License-Identifier: Apache-2.0 */
/*
 * heatmap_samples.js - reads the samples that stand in the page: the text of samples.h, gzip'd, in
 * base64
 */
'use strict';

async function inflate(base64) {
  const bytes = Uint8Array.from(atob(base64), function (c) { return c.charCodeAt(0); });
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'));
  return new Response(stream).text();
}

/* Samples as columns of numbers; a stack is a list of frames, leaf first. */
function parseSamples(text) {
  const d = {lanes: [], frames: [], stacks: [], at: [], lane: [], state: [], stack: [], weight: [],
    values: [], columnNs: 1250000, periodNs: 0, durationNs: 0, slotNs: 100000000};
  const head = {duration: 'durationNs', column: 'columnNs', period: 'periodNs', slot: 'slotNs'};
  let column = 0;

  for (const line of text.split('\n')) {
    const w = line.split(' ');
    switch (w[0]) {
    case 'l':
      d.lanes.push({cpu: Number(w[1]), name: w.slice(4).join(' ')});
      break;
    case 'f':
      d.frames.push(w.slice(4).join(' ') + (w[1].length === 16 && w[1] >= '8' ? '_[k]' : ''));
      break;
    case 's':
      d.stacks.push(w.slice(1).map(Number));
      break;
    case 't':
      column += Number(w[1]);
      for (const one of w.slice(4)) {
        const star = one.indexOf('*');
        d.at.push(column);
        d.lane.push(Number(w[2]));
        d.state.push(Number(w[3]));
        d.stack.push(Number(star < 0 ? one : one.slice(0, star)));
        d.weight.push(star < 0 ? 1 : Number(one.slice(star + 1)));
      }
      break;
    case 'v':
      d.values.push(w.slice(1).map(Number));
      break;
    default:
      if (w[0] in head) d[head[w[0]]] = Number(w[1]);
    }
  }
  return d;
}
