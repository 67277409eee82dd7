// Maps of distances over a plane, to walk over.

const numbersOf = (text) => {  // two bytes each, the lower first
  const bytes = atob(text), numbers = new Uint16Array(bytes.length / 2);
  for (let i = 0; i < numbers.length; ++i) numbers[i] = bytes.charCodeAt(2 * i) | (bytes.charCodeAt(2 * i + 1) << 8);
  return numbers;
};
const ramp = [[255, 255, 217], [237, 248, 177], [199, 233, 180], [127, 205, 187], [65, 182, 196], [29, 145, 192],
              [34, 94, 168], [37, 52, 148], [8, 29, 88]];
const rampAt = (x) => {
  const place = 8 * Math.max(0, Math.min(1, x)), from = Math.min(Math.floor(place), 7);
  return ramp[from].map((part, k) => part + (place - from) * (ramp[from + 1][k] - part));
};
const hues = [[0, 114, 178], [230, 159, 0], [0, 158, 115], [204, 121, 167], [86, 180, 233], [213, 94, 0], [240, 228, 66],
              [148, 103, 189], [140, 86, 75], [127, 127, 127]];

const slices = (part, data) => {
  const {u, v, panels, words} = data, columns = u.length, count = columns * v.length;
  for (const one of panels) {
    one.maps = one.maps.map(numbersOf);
    one.labels = one.labels.map(numbersOf);
  }
  const common = [0, 1, 2].map((k) => Math.max(...panels.map((one) => one.largest[k])));
  const letters = ['A', 'B', 'C'];
  let at = 0, view = 'all', place = null;

  const slider = make('input', {type: 'range', min: 0, max: panels.length - 1, step: 1, value: 0, 'aria-label': 'slice'});
  const title = make('output');
  const views = [['all', 'three distances in colours'], ...letters.map((one, k) => [`d${k}`, `d_${one} alone`])];
  if (words.length) views.push(...letters.map((one, k) => [`l${k}`, `likeliest token in the context of ${one}`]));
  const choose = make('select', {'aria-label': 'what is drawn'},
      ...views.map(([value, text]) => make('option', {value, text})));
  const canvas = make('canvas', {tabindex: 0, role: 'img', 'aria-label':
      'The slice. The pointer, or the arrow keys, walk over it; what lies there is told beside it.'});
  const readout = make('div', {class: 'readout', 'aria-live': 'polite'});
  const sliceBox = make('label', {}, 'slice ', slider, title);
  sliceBox.hidden = panels.length < 2;
  part.append(make('div', {class: 'controls'}, sliceBox, make('label', {}, 'show ', choose)),
              make('div', {class: 'walk'}, canvas, make('div', {class: 'stage'}, readout)));

  const margin = {left: 52, right: 12, top: 10, bottom: 40}, side = 480;
  const width = margin.left + side + margin.right, height = margin.top + side * v.length / columns + margin.bottom;
  const ratio = Math.max(2, devicePixelRatio || 1);
  canvas.width = width * ratio;
  canvas.height = height * ratio;
  const plot = {x: margin.left, y: margin.top, w: side, h: side * v.length / columns};
  const columnOf = (x) => Math.floor((x - plot.x) / plot.w * columns);
  const rowOf = (y) => v.length - 1 - Math.floor((y - plot.y) / plot.h * v.length);  // row 0 lies at the bottom
  const xOf = (value) => plot.x + plot.w * ((value - u[0]) / (u[columns - 1] - u[0]) * (columns - 1) + 0.5) / columns;
  const yOf = (value) => plot.y + plot.h * (1 - ((value - v[0]) / (v[v.length - 1] - v[0]) * (v.length - 1) + 0.5) / v.length);
  const valueAt = (k, i) => (panels[at].maps[k][i] === 65535 ? NaN : panels[at].maps[k][i] / 65534 * panels[at].largest[k]);

  const order = new Map();  // labels by how much of all slices they cover
  if (words.length) {
    const areas = new Map();
    for (const one of panels) for (const map of one.labels) for (const id of map) areas.set(id, (areas.get(id) || 0) + 1);
    all(areas.keys()).sort((a, b) => areas.get(b) - areas.get(a) || a - b).forEach((id, n) => order.set(id, n));
  }

  const colourOf = (i) => {
    const one = panels[at], scale = data.one_scale ? common : one.largest;
    const part = (k) => (scale[k] > 0 ? valueAt(k, i) / scale[k] : 0);
    if (view === 'all') return [0, 1, 2].map((k) => 255 * (1 - part(k)));
    const k = Number(view[1]);
    if (view[0] === 'd') return isNumber(part(k)) ? rampAt(part(k)) : [125, 135, 148];
    const n = order.get(one.labels[k][i]);
    return n < hues.length ? hues[n] : [211, 215, 220].map((x) => x - 12 * (n % 5));
  };

  const ticks = (from, to) => {
    const rough = (to - from) / 6, power = Math.pow(10, Math.floor(Math.log10(rough)));
    const step = [1, 2, 2.5, 5, 10].map((x) => x * power).find((x) => x >= rough), list = [];
    for (let n = Math.ceil(from / step - 1e-9); n * step <= to + 1e-9 * step; ++n) list.push(Number((n * step).toPrecision(8)));
    return list;
  };

  const image = document.createElement('canvas');
  image.width = columns;
  image.height = v.length;
  const paintImage = () => {
    const context = image.getContext('2d'), pixels = context.createImageData(columns, v.length);
    for (let r = 0; r < v.length; ++r) {
      for (let c = 0; c < columns; ++c) {
        const to = 4 * ((v.length - 1 - r) * columns + c), colour = colourOf(r * columns + c);
        for (let k = 0; k < 3; ++k) pixels.data[to + k] = Math.round(colour[k]);
        pixels.data[to + 3] = 255;
      }
    }
    context.putImageData(pixels, 0, 0);
  };

  const paint = () => {
    const context = canvas.getContext('2d');
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    context.imageSmoothingEnabled = false;
    context.drawImage(image, plot.x, plot.y, plot.w, plot.h);
    context.strokeStyle = theme('quiet');
    context.fillStyle = theme('quiet');
    context.lineWidth = 1;
    context.strokeRect(plot.x, plot.y, plot.w, plot.h);
    context.font = '12px system-ui, "DejaVu Sans", sans-serif';
    context.textAlign = 'center';
    for (const tick of ticks(u[0], u[columns - 1])) context.fillText(shown(tick), xOf(tick), plot.y + plot.h + 16);
    context.fillText('\u03b1', plot.x + plot.w / 2, plot.y + plot.h + 33);
    context.textAlign = 'right';
    for (const tick of ticks(v[0], v[v.length - 1])) context.fillText(shown(tick), plot.x - 6, yOf(tick) + 4);
    context.fillText('\u03b2', plot.x - 36, plot.y + plot.h / 2);
    for (const mark of panels[at].marks) {
      const x = xOf(mark.u), y = yOf(mark.v);
      if (x < plot.x || x > plot.x + plot.w || y < plot.y || y > plot.y + plot.h) continue;
      context.beginPath();
      context.arc(x, y, 9, 0, 7);
      context.fillStyle = '#ffffff';
      context.fill();
      context.strokeStyle = '#1f2328';
      context.stroke();
      context.fillStyle = '#1f2328';
      context.textAlign = 'center';
      context.font = 'bold 12px system-ui, "DejaVu Sans", sans-serif';
      context.fillText(mark.name, x, y + 4.5);
    }
    if (place === null) return;
    const c = place % columns, r = Math.floor(place / columns), w = plot.w / columns, h = plot.h / v.length;
    const box = [plot.x + c * w, plot.y + (v.length - 1 - r) * h, w, h];
    context.lineWidth = 3;
    context.strokeStyle = '#ffffff';
    context.strokeRect(...box);
    context.lineWidth = 1.5;
    context.strokeStyle = '#1f2328';
    context.strokeRect(...box);
  };

  const tell = () => {
    const rows = letters.map((letter, k) => {
      const label = panels[at].labels[k];
      return make('tr', {}, make('th', {scope: 'row', text: letter}),
          make('td', {class: 'number', text: place === null ? '\u2013' : shown(valueAt(k, place))}),
          make('td', {class: 'number', text: shown(panels[at].largest[k])}),
          ...(words.length ? [make('td', {}, place === null || !label ? '\u2013' :
              make('span', {class: 'token', text: words[label[place]] || 'another'}))] : []));
    });
    const head = ['in the run of', 'distance', 'largest', ...(words.length ? ['likeliest next token'] : [])];
    const where = place === null ? 'Walk over the slice with the pointer, or with the arrow keys.' :
        `\u03b1 = ${shown(u[place % columns])}, \u03b2 = ${shown(v[Math.floor(place / columns)])}`;
    readout.replaceChildren(make('p', {}, make('b', {text: where})),
        make('div', {class: 'wide'}, make('table', {},
            make('thead', {}, make('tr', {}, ...head.map((text) => make('th', {scope: 'col', text})))),
            make('tbody', {}, ...rows))),
        make('ul', {class: 'anchors'}, ...letters.flatMap((one, k) => (data.anchors[k] ?
            [make('li', {}, make('b', {text: `${one} `}), data.anchors[k])] : []))),
        make('p', {class: 'note', text: view === 'all' ? 'Red, green and blue: nearness to the run of A, B and C (1 \u2212 d / largest d' +
            (data.one_scale ? ' of all slices).' : ').') : view[0] === 'd' ? 'Light: near. Dark: far.' :
            'One colour for each token; greys: rarer ones.'}));
  };

  const show = () => {
    title.textContent = panels[at].title || `${at + 1} of ${panels.length}`;
    paintImage();
    paint();
    tell();
  };
  const walk = (c, r) => {
    place = c >= 0 && c < columns && r >= 0 && r < v.length ? r * columns + c : null;
    paint();
    tell();
  };
  canvas.addEventListener('pointermove', (event) => {
    const box = canvas.getBoundingClientRect();
    walk(columnOf((event.clientX - box.left) / box.width * width), rowOf((event.clientY - box.top) / box.height * height));
  });
  canvas.addEventListener('keydown', (event) => {
    const step = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1]}[event.key];
    if (!step) return;
    event.preventDefault();
    const from = place === null ? [columns >> 1, v.length >> 1] : [place % columns, Math.floor(place / columns)];
    walk(Math.max(0, Math.min(columns - 1, from[0] + step[0])), Math.max(0, Math.min(v.length - 1, from[1] + step[1])));
  });
  slider.addEventListener('input', () => { at = Number(slider.value); show(); });
  choose.addEventListener('change', () => { view = choose.value; show(); });
  show();
  repaints.push(paint);
};
