// Fills the parts of a page that can be touched. Each <div class="part" data-kind="..."> holds its data as JSON. The build joins
// common.js, charts.js, pairs.js, slices.js and this file, in one block of a strict script.

const kinds = {charts, pairs, slices};
for (const part of document.querySelectorAll('.part')) {
  kinds[part.dataset.kind](part, JSON.parse(part.querySelector('script').textContent));
}
