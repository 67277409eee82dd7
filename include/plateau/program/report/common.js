// What charts, pairs and slices of a page share: elements, numbers as text, colours of the paper.

const all = (x) => Array.from(x);
const make = (tag, attributes = {}, ...children) => {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === 'text') element.textContent = value;
    else if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else if (value !== false) element.setAttribute(name, value === true ? '' : value);
  }
  element.append(...children);
  return element;
};
const theme = (name) => getComputedStyle(document.documentElement).getPropertyValue('--' + name).trim();
const isNumber = (x) => typeof x === 'number' && isFinite(x);
const shown = (x) => (isNumber(x) ? String(Number(x.toPrecision(4))) : 'none');
const tickText = (x) => (x !== 0 && (Math.abs(x) < 0.001 || Math.abs(x) >= 1e5) ?
    x.toExponential(1).replace('.0e', 'e').replace('e+', 'e') : String(Number(x.toPrecision(6))));
const withInterval = (x, low, high) => shown(x) + (isNumber(low) && isNumber(high) ? ` [${shown(low)}, ${shown(high)}]` : '');
const repaints = [];
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => repaints.forEach((paint) => paint()));

// On dark paper the darkest inks would not be seen.
const inkOnPaper = (ink) => {
  if (!matchMedia('(prefers-color-scheme: dark)').matches) return ink;
  const part = (at) => parseInt(ink.slice(at, at + 2), 16);
  const lift = Math.max(0, 115 - (0.3 * part(1) + 0.59 * part(3) + 0.11 * part(5)));
  return `rgb(${[1, 3, 5].map((at) => Math.min(255, Math.round(part(at) + lift))).join(',')})`;
};

const swatch = (ink, dot) => {
  const element = make('span', {class: dot ? 'swatch dot' : 'swatch'});
  element.style.background = ink;
  return element;
};

// numpy's default: linear between the sorted values; null without any.
const quantile = (sorted, q) => {
  if (sorted.length === 0) return null;
  const place = q * (sorted.length - 1), below = Math.floor(place);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below] + (place - below) * (sorted[above] - sorted[below]);
};

const rangeOf = (values, margin, log) => {
  let low = Infinity, high = -Infinity;
  for (const x of values) {
    if (!isNumber(x) || (log && x <= 0)) continue;
    low = Math.min(low, x);
    high = Math.max(high, x);
  }
  if (!(low <= high)) return log ? [0.1, 1] : [0, 1];
  if (log) return [low / Math.pow(high / low || 1, margin) / 1.02, high * Math.pow(high / low || 1, margin) * 1.02];
  const more = low === high ? 0.5 : margin * (high - low);
  return [low - more, high + more];
};

const settings = () => ({
  legend: 'never', gridLineColor: theme('grid'), axisLineColor: theme('line'), strokeWidth: 2, fillAlpha: 0.16,
  highlightCircleSize: 4, xLabelHeight: 16, yLabelWidth: 18, connectSeparatedPoints: true,
});
