// While a slider is dragged, headline numbers and the main chart follow it without the server.
//
// The page sends the address of a sweep: the states of the page for every value of a slider. It is loaded when the slider
// is touched or gets the focus, once per state of the other controls. What the page itself draws replaces it after that.

const sweeps = new Map(); // address -> promise of {values, states, pieces}
const KEPT = 12;
let current = null; // what stops following the sliders
let answers = 0; // changes of the page by the server: a sweep that arrives after one is outdated

export function draw({ data }, cards, charts, plotly) {
  answers += 1;
  const page = { ...data, scripts: { cards, charts, plotly } };
  current?.stop();
  const stops = Object.entries(page.sweeps).map(([key, url]) => watch(key, url, page.scripts));
  current = { stop: () => stops.forEach((stop) => stop()) };
}

export function remove() {
  current?.stop();
  current = null;
}

/** Follow the slider of a control until the returned function is called. */
function watch(key, url, scripts) {
  const element = document.querySelector(`.st-key-${key}_slider`);
  if (!element) return () => {};
  const input = () => element.querySelector("input[type=range]");
  let shown = Number(input()?.value), frame = 0;
  const address = () => {
    const { min, max, step } = input();
    return `${url}&low=${min}&high=${max}&step=${step}`;
  };
  const prepare = () => { load(address()); };
  const follow = () => {
    frame = 0;
    const value = Number(input()?.value);
    if (value === shown || Number.isNaN(value)) return;
    shown = value;
    // A slider that follows a typed value, which may be beyond its range, is not moved by the visitor.
    if (!element.contains(document.activeElement) && !element.querySelector("[data-dragging]")) return;
    const before = answers;
    show(address(), value, () => answers === before && Number(input()?.value) === value, scripts);
  };
  const observer = new MutationObserver(() => { frame ||= requestAnimationFrame(follow); });
  observer.observe(element, { subtree: true, attributes: true, attributeFilter: ["value", "aria-valuetext"] });
  for (const event of ["pointerdown", "focusin"]) element.addEventListener(event, prepare);
  return () => {
    observer.disconnect();
    cancelAnimationFrame(frame);
    for (const event of ["pointerdown", "focusin"]) element.removeEventListener(event, prepare);
  };
}

function load(url) {
  if (!sweeps.has(url)) {
    const forget = () => { sweeps.delete(url); return null; }; // a later touch tries again
    sweeps.set(url, fetch(url).then((answer) => (answer.status === 200 ? answer.json() : forget())).catch(forget));
    if (sweeps.size > KEPT) sweeps.delete(sweeps.keys().next().value);
  }
  return sweeps.get(url);
}

/** Show the state of one value, unless the slider has moved on. Between two states the former numbers are dimmed. */
async function show(url, value, valid, scripts) {
  const [sweep, cards, charts] = await Promise.all([load(url), import(scripts.cards), import(scripts.charts)]);
  const row = document.querySelector(".cards");
  if (!sweep || !row || !valid()) return;
  const state = sweep.states[sweep.values.findIndex((each) => Math.abs(each - value) < 1e-6)];
  cards.show(row, state?.cards ?? [], true);
  if (!state) return;
  for (const [key, figure] of Object.entries(state.charts)) {
    const box = document.querySelector(`.st-key-${key} .chart`);
    if (box && valid()) await charts.replace(box, assembled(figure, sweep.pieces), scripts.plotly);
  }
}

/** Put the pieces of a figure in place of their numbers. Plotly may change what it draws, so it gets copies. */
function assembled(figure, pieces) {
  const layout = Object.entries(figure.layout).map(([name, number]) => [name, pieces[number]]);
  const data = figure.data.map((number) => pieces[number]);
  return { ...figure, ...structuredClone({ data, layout: Object.fromEntries(layout) }) };
}
