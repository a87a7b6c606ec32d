// Draws the table of days as a line. The table stays: it says the same.
const place = document.getElementById("chart");
const rows = [...document.querySelectorAll("#days [data-date]")];
const data = [
  rows.map((row) => Date.parse(row.dataset.date) / 1000),
  rows.map((row) => row.dataset.value === undefined ? null : Number(row.dataset.value)),
];
let chart;

function draw() {
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const axis = { stroke: colour("--dim"), grid: { stroke: colour("--line"), width: 1 }, ticks: { show: false }, font: "12px system-ui, sans-serif" };
  const days = new Intl.DateTimeFormat(document.documentElement.lang, { month: "short", day: "numeric", timeZone: "UTC" });
  chart?.destroy();
  chart = new uPlot({
    width: place.clientWidth, height: 220, legend: { show: false }, cursor: { show: false }, padding: [12, 8, 0, 0],
    scales: { y: { range: (_, low, high) => [0, high > 0 ? high * 1.1 : 1] } },
    axes: [{ ...axis, grid: { show: false }, values: (_, at) => at.map((s) => days.format(s * 1000)), space: 70, incrs: [1, 2, 5, 10, 30, 90].map((n) => n * 86_400) }, { ...axis, size: 56 }],
    series: [{}, { stroke: colour("--door"), width: 2, fill: colour("--tint"), points: { show: true, size: 5, fill: colour("--door") } }],
  }, data, place);
}

if (rows.length > 0) {
  if (!globalThis.uPlot) { // an extra, which may still be on its way: the table can be read meanwhile
    await new Promise((come) => document.querySelector('script[src*="uplot"]').addEventListener("load", come, { once: true }));
  }
  draw();
  new ResizeObserver(() => { if (chart.width !== place.clientWidth) chart.setSize({ width: place.clientWidth, height: 220 }); }).observe(place);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
}
