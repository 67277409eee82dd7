// Curves of pairs of prompts: all of them, and one that is picked.

const pairs = (part, data) => {
  const {places, curves, numbers, tops} = data, steps = places.length;
  let which = Math.max(0, curves.findIndex((one) => /^(relative|slope)\.npy$/.test(one.name)));
  let lead = Infinity, picked = 0, near = null, row = null;  // the last step of training first
  const of = (array, first, pair, i) => array.values[(first * array.kept + pair) * steps + i];
  const leadOf = (array) => (array.lead ? Math.min(lead, array.lead.length - 1) : 0);

  const choose = make('select', {'aria-label': 'what is drawn'},
      ...curves.map((one, k) => make('option', {value: k, text: one.name})));
  choose.value = which;
  const slider = make('input', {type: 'range', min: 0, max: 0, step: 1, 'aria-label': 'step'});
  const leadText = make('output'), leadBox = make('label', {}, slider, leadText);
  const number = make('input', {type: 'number', min: 0, max: 0, step: 1, 'aria-label': 'pair'});
  const back = make('button', {type: 'button', text: '\u2039', 'aria-label': 'previous pair'});
  const on = make('button', {type: 'button', text: '\u203a', 'aria-label': 'next pair'});
  const legend = make('div', {class: 'legend'}), what = make('p', {class: 'note'});
  const chart = make('div', {class: 'chart tall'});
  const readout = make('p', {class: 'readout', 'aria-live': 'polite'});
  const prompts = make('div', {class: 'prompts'});
  part.append(
      make('div', {class: 'controls'}, make('label', {}, 'curve ', choose), leadBox,
           make('label', {}, 'pair ', number), back, on),
      what, legend, chart, readout, prompts);

  let graph = null, over = null, rows = [];
  const array = () => curves[which];

  const rowsNow = () => {
    const one = array(), first = leadOf(one);
    return places.map((x, i) => {
      const column = [];
      for (let p = 0; p < one.kept; ++p) {
        const y = of(one, first, p, i);
        if (isNumber(y)) column.push(y);
      }
      column.sort((a, b) => a - b);
      const middle = [0.25, 0.5, 0.75].map((q) => quantile(column, q));
      const y = of(one, first, picked, i), mine = isNumber(y) ? y : NaN;
      return [x, middle[1] === null ? [NaN, NaN, NaN] : middle, [mine, mine, mine]];
    });
  };

  // one scale for all steps, so that they compare; a few spikes do not make it
  const heightOf = (one) => {
    const sorted = one.values.filter(isNumber).sort((a, b) => a - b);
    const low = quantile(sorted, 0.002), high = quantile(sorted, 0.998);
    return rangeOf([low, high], 0.06, false);
  };

  const trace = (context, pair) => {
    const one = array(), first = leadOf(one);
    context.beginPath();
    let begun = false;
    for (let i = 0; i < steps; ++i) {
      const y = of(one, first, pair, i);
      if (!isNumber(y)) { begun = false; continue; }
      const at = graph.toDomCoords(places[i], y);
      if (begun) context.lineTo(at[0], at[1]);
      else context.moveTo(at[0], at[1]);
      begun = true;
    }
    context.stroke();
  };

  const others = (context, area, drawn) => {
    graph = drawn;
    context.save();
    context.beginPath();
    context.rect(area.x, area.y, area.w, area.h);
    context.clip();
    context.strokeStyle = theme('quiet');
    context.globalAlpha = 0.22;
    context.lineWidth = 0.8;
    for (let p = 0; p < Math.min(array().kept, 300); ++p) trace(context, p);
    context.restore();
  };

  const nameOf = (pair) => {
    const at = [data.pairs[2 * pair], data.pairs[2 * pair + 1]];
    return at[0] === undefined ? `pair ${pair}` : `pair ${pair} (prompts ${at[0]} \u2192 ${at[1]})`;
  };

  const hover = () => {
    const context = over.getContext('2d');
    context.clearRect(0, 0, over.width, over.height);
    const one = array(), first = leadOf(one);
    if (row === null) {
      readout.textContent = 'Hover for values; a click picks the nearest pair. Drag to zoom in, double-click for all.';
      return;
    }
    const parts = ['\u03b1 = ', make('b', {text: shown(places[row])}), ' \u00a0 ', swatch(theme('accent')), 'median ',
                   make('b', {text: withInterval(rows[row][1][1], rows[row][1][0], rows[row][1][2])}), ' \u00a0 ',
                   swatch(theme('picked')), `pair ${picked}: `, make('b', {text: shown(of(one, first, picked, row))})];
    if (near !== null && near !== picked) {
      parts.push(' \u00a0 ', swatch(theme('hover')), `nearest, ${nameOf(near)}: `,
                 make('b', {text: shown(of(one, first, near, row))}));
      context.save();
      context.scale(over.width / over.clientWidth, over.height / over.clientHeight);
      const area = graph.getArea();
      context.rect(area.x, area.y, area.w, area.h);
      context.clip();
      context.strokeStyle = theme('hover');
      context.lineWidth = 2;
      trace(context, near);
      context.restore();
    }
    if (tops && picked * steps * tops.each < tops.ids.length) {
      parts.push(make('br'), `likeliest next tokens of pair ${picked}: `);
      for (let k = 0; k < tops.each; ++k) {
        const at = (picked * steps + row) * tops.each + k;
        parts.push(make('span', {class: 'token', text: tops.words[tops.ids[at]]}),
                   tops.logs && isNumber(tops.logs[at]) ? ` ${(100 * Math.exp(tops.logs[at])).toFixed(1)} % ` : ' ');
      }
    }
    readout.replaceChildren(...parts);
  };

  const nearest = (event) => {
    const box = chart.getBoundingClientRect(), one = array(), first = leadOf(one);
    const y = event.clientY - box.top;
    let best = null, distance = Infinity;
    for (let p = 0; p < one.kept; ++p) {
      const value = of(one, first, p, row);
      if (!isNumber(value)) continue;
      const far = Math.abs(graph.toDomYCoord(value) - y);
      if (far < distance) { distance = far; best = p; }
    }
    return best;
  };

  const tellPair = () => {
    const list = [make('h4', {text: nameOf(picked)})];
    ['context', 'other'].forEach((role, k) => {
      const text = data.prompts[String(data.pairs[2 * picked + k])];
      if (text) list.push(make('p', {}, make('span', {class: 'about', text: `${role}: `}), text));
    });
    const told = numbers.filter((one) => picked < one.kept).map((one) => {
      const first = leadOf(one);
      return [one.name.replace('.npy', ''), one.values[first * one.kept + picked], one.what];
    });
    if (told.length) {
      list.push(make('p', {class: 'numbers'}, ...told.flatMap(([name, value, about]) =>
          [make('span', {title: about, text: `${name} `}), make('b', {text: shown(value)}), ' \u00a0 '])));
    }
    prompts.replaceChildren(...list);
  };

  const paint = () => {
    const one = array();
    picked = Math.max(0, Math.min(picked, one.kept - 1));
    number.max = one.kept - 1;
    number.value = picked;
    leadBox.hidden = !one.lead;
    if (one.lead) {
      slider.max = one.lead.length - 1;
      slider.value = leadOf(one);
      leadText.textContent = one.lead[leadOf(one)];
    }
    what.textContent = `${one.name}: ${one.what}` + (one.kept < one.of ? ` (the first ${one.kept} of ${one.of} pairs are here)` : '');
    legend.replaceChildren(make('span', {}, swatch(theme('accent')), 'median and quartiles of the pairs here'),
                           make('span', {}, swatch(theme('picked')), `pair ${picked}`),
                           make('span', {}, swatch(theme('quiet')), one.kept > 300 ? 'the first 300 pairs' : 'the other pairs'));
    rows = rowsNow();
    if (graph) graph.destroy();
    graph = new Dygraph(chart, rows, {
      ...settings(), labels: ['\u03b1', 'median', 'pair'], colors: [theme('accent'), theme('picked')], customBars: true,
      connectSeparatedPoints: false, dateWindow: rangeOf(places, 0.01, false), valueRange: heightOf(one),
      xlabel: '\u03b1 (from A to B)', ylabel: one.name.replace('.npy', ''), axes: {y: {axisLabelWidth: 46}},
      underlayCallback: others,
      highlightCallback: (event, x, points, at) => { row = at; near = nearest(event); hover(); },
      unhighlightCallback: () => { row = near = null; hover(); },
      clickCallback: () => { if (near !== null) { picked = near; paint(); } },
    });
    over = make('canvas', {class: 'over'});
    const ratio = devicePixelRatio || 1;
    over.width = chart.clientWidth * ratio;
    over.height = chart.clientHeight * ratio;
    over.style.width = chart.clientWidth + 'px';
    over.style.height = chart.clientHeight + 'px';
    chart.append(over);
    tellPair();
    hover();
  };

  const pick = (pair) => { picked = pair; near = row = null; paint(); };
  choose.addEventListener('change', () => { which = Number(choose.value); paint(); });
  slider.addEventListener('input', () => { lead = Number(slider.value); paint(); });
  number.addEventListener('change', () => pick(Math.floor(Number(number.value)) || 0));
  back.addEventListener('click', () => pick(picked - 1));
  on.addEventListener('click', () => pick(picked + 1));
  addEventListener('resize', () => paint());
  paint();
  repaints.push(paint);
};
