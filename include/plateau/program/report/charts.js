// Panels of named curves with their intervals, to hover over.

const rowsOf = (curves, bands) => {  // a place that a curve has twice, as clouds of points may, is two rows
  const rows = new Map();
  curves.forEach((curve, k) => {
    const times = new Map();
    curve.x.forEach((x, i) => {
      if (!isNumber(x)) return;
      const n = times.get(x) || 0;
      times.set(x, n + 1);
      if (!rows.has(x)) rows.set(x, []);
      const list = rows.get(x);
      if (!list[n]) list[n] = [x, ...curves.map(() => null)];
      const y = isNumber(curve.y[i]) ? curve.y[i] : NaN;
      const bound = (side) => (isNumber(curve[side][i]) ? curve[side][i] : y);
      list[n][k + 1] = bands ? [bound('low'), y, bound('high')] : y;
    });
  });
  return all(rows.keys()).sort((a, b) => a - b).flatMap((x) => rows.get(x));
};

const drawReferences = (lines) => (context, area, graph) => {
  context.save();
  context.strokeStyle = theme('quiet');
  context.setLineDash([2, 3]);
  context.lineWidth = 1.2;
  context.beginPath();
  for (const line of lines) {
    if (line.diagonal) {
      const [left, right] = graph.xAxisRange();
      context.moveTo(graph.toDomXCoord(left), graph.toDomYCoord(left));
      context.lineTo(graph.toDomXCoord(right), graph.toDomYCoord(right));
    } else if (line.upright) {
      context.moveTo(graph.toDomXCoord(line.value), area.y);
      context.lineTo(graph.toDomXCoord(line.value), area.y + area.h);
    } else {
      context.moveTo(area.x, graph.toDomYCoord(line.value));
      context.lineTo(area.x + area.w, graph.toDomYCoord(line.value));
    }
  }
  context.stroke();
  context.restore();
};

const panelOf = (panel) => {
  const {curves, lines} = panel;
  const names = curves.map((one, k) => one.label || (curves.length > 1 ? `curve ${k + 1}` : 'value'));
  names.forEach((name, k) => { if (names.indexOf(name) < k) names[k] = `${name} (${k + 1})`; });
  const bands = curves.some((one) => one.low.length > 0), cloud = curves.some((one) => !one.line);
  const rows = rowsOf(curves, bands);
  const legend = make('div', {class: 'legend'}), chart = make('div', {class: 'chart'});
  const readout = make('p', {class: 'readout', 'aria-live': 'polite'});
  const box = make('div', {class: 'panel'}, make('h4', {text: panel.title}), legend, chart, readout);
  if (rows.length === 0) {
    readout.textContent = 'no finite value';
    return {box, paint: () => {}};
  }
  const y = (function* () {
    for (const one of curves) yield* [...one.y, ...one.low, ...one.high];
    for (const line of lines) if (!line.upright && !line.diagonal) yield line.value;
  })();
  const window = panel.x.range || rangeOf(rows.map((row) => row[0]), 0.02, panel.x.log);
  const height = panel.y.range || rangeOf(y, 0.05, panel.y.log);
  const hint = 'Hover for values; drag to zoom in, double-click for all.';
  readout.textContent = hint;
  const tell = (row, only) => {
    const parts = names.flatMap((name, k) => {
      const cell = rows[row] && rows[row][k + 1];
      if (cell === null || cell === undefined || (only && only !== name)) return [];
      const text = bands ? (curves[k].low.length ? withInterval(cell[1], cell[0], cell[2]) : shown(cell[1])) : shown(cell);
      return [make('span', {}, swatch(inkOnPaper(curves[k].ink)), `${name}: `, make('b', {text}), ' \u00a0 ')];
    });
    readout.replaceChildren(`${panel.x.label} = `, make('b', {text: shown(rows[row][0])}), ' \u00a0 ', ...parts);
  };
  let graph = null;
  const paint = () => {
    const inks = curves.map((one) => inkOnPaper(one.ink)), series = {};
    curves.forEach((one, k) => {
      series[names[k]] = {
        drawPoints: one.points || !one.line, pointSize: one.line ? 3 : 2.5, strokeWidth: one.line ? 2 : 0,
        strokePattern: one.dashed ? [6, 4] : null,
      };
    });
    legend.replaceChildren(
        ...names.flatMap((name, k) => (curves[k].label ? [make('span', {}, swatch(inks[k], !curves[k].line), name)] : [])),
        ...lines.filter((one) => one.label).map((one) => make('span', {text: `\u22ef ${one.label}`})));
    if (graph) graph.destroy();
    graph = new Dygraph(chart, rows, {
      ...settings(), labels: [panel.x.label || 'x', ...names], colors: inks, customBars: bands, series,
      xlabel: panel.x.label, ylabel: panel.y.label, dateWindow: window, valueRange: height,
      axes: {
        x: {logscale: panel.x.log, pixelsPerLabel: 55, axisLabelFormatter: tickText},
        y: {logscale: panel.y.log, axisLabelWidth: 46, axisLabelFormatter: tickText},
      },
      underlayCallback: drawReferences(lines),
      ...(cloud ? {highlightSeriesOpts: {highlightCircleSize: 5}, highlightSeriesBackgroundAlpha: 1} : {}),
      highlightCallback: (event, x, points, row, name) => tell(row, cloud ? name : null),
      unhighlightCallback: () => { readout.textContent = hint; },
    });
  };
  return {box, paint};
};

const charts = (part, data) => {
  const panels = data.panels.map(panelOf);
  part.append(make('div', {class: 'panels'}, ...panels.map((one) => one.box)));
  for (const one of panels) {
    one.paint();
    repaints.push(one.paint);
  }
};
