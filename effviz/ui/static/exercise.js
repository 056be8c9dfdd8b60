// Exercises: a question with a guess, whose answer is revealed in the browser. A question keeps its numbers from the first
// character of the guess until it is reset, and the guesses survive a reload.

const STORE = "effviz.exercises";
const MOST = 200; // stored exercises
const TOLERANCE = 0.02; // of a guess, as a share of the answer

function read() {
  try {
    const found = JSON.parse(localStorage.getItem(STORE) ?? "{}");
    return found && typeof found === "object" && !Array.isArray(found) ? found : {};
  } catch {
    return {};
  }
}

function write(all) {
  const entries = Object.entries(all).slice(-MOST);
  try {
    localStorage.setItem(STORE, JSON.stringify(Object.fromEntries(entries)));
  } catch { /* storage is blocked or full: guesses last until the page is left */ }
}

let kept = read(); // by page and key: the question as it was, the guess, and whether the answer is shown

const decoder = new TextDecoder();

/** `data`, UTF-8 JSON: the name of the page, and entries of {key, question, unit, answer, shown, why, problem}. */
export function draw({ parentElement, data }) {
  const { page, entries } = JSON.parse(decoder.decode(data));
  const box = parentElement.querySelector(".exercises");
  const cards = new Map([...box.children].map((card) => [card.dataset.key, card]));
  const shown = entries.map((entry) => {
    const card = cards.get(entry.key) ?? empty(entry.key);
    card.current = entry;
    card.name = `${page} ${entry.key}`;
    render(card);
    return card;
  });
  if (shown.some((card, place) => box.children[place] !== card) || box.children.length !== shown.length) {
    box.replaceChildren(...shown);
  }
}

function render(card) {
  const saved = kept[card.name];
  const entry = saved?.entry ?? card.current;
  put(card.querySelector(".question"), entry.question);
  put(card.querySelector("label span"), `Your guess (${entry.unit})`);
  const input = card.querySelector("input");
  if (document.activeElement !== input) input.value = saved?.guess ?? "";
  const done = Boolean(saved?.revealed);
  input.disabled = done;
  card.querySelector("[type=submit]").hidden = done;
  card.querySelector("[type=reset]").hidden = !saved;
  put(card.querySelector(".verdict_text strong"), done && !entry.problem ? `${entry.shown} ` : "");
  put(card.querySelector(".verdict_text span"), done ? verdict(entry, Number(saved.guess)) : "");
  const moved = saved && saved.entry.question !== card.current.question;
  put(card.querySelector(".frozen"), moved ? "Asked with the settings from when you began." : "");
}

function verdict(entry, guess) {
  if (entry.problem) return `No such network can be built. ${entry.problem}`;
  const off = entry.answer ? Math.abs(guess - entry.answer) / Math.abs(entry.answer) : Math.abs(guess);
  const isRight = off <= TOLERANCE;
  const error = isRight ? "." : `, ${distance(entry, guess, off)} (correct within ${100 * TOLERANCE} % of the answer).`;
  const own = `${guess}${entry.unit === "×" ? "×" : ` ${entry.unit}`}`;
  return `${isRight ? "✓ Correct." : "✗ Not correct."} Your guess: ${own}${error} ${entry.why}`;
}

/** Words for the error, as in a lesson: "22 % too low"; that of a percentage is in percentage points. */
function distance(entry, guess, off) {
  const word = guess < entry.answer ? "low" : "high";
  if (entry.unit === "%") return `${Number(Math.abs(guess - entry.answer).toPrecision(3))} percentage points too ${word}`;
  return `${Number((100 * off).toPrecision(2)).toLocaleString("en")} % too ${word}`;
}

function put(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function empty(key) {
  const card = document.createElement("form");
  card.dataset.key = key;
  card.className = "exercise";
  card.noValidate = true;
  card.innerHTML = `<p class="question"></p><div class="guess"><label><span></span><input type="number" step="any" min="0"
    inputmode="decimal"></label><button type="submit">Reveal</button><button type="reset">Reset</button></div>
    <p class="frozen"></p><p class="verdict_text" role="status"><strong></strong><span></span></p>`;
  const input = card.querySelector("input");
  input.addEventListener("input", () => {
    if (input.value === "") delete kept[card.name];
    else kept[card.name] = { entry: kept[card.name]?.entry ?? card.current, guess: input.value, revealed: false };
    write(kept);
    render(card);
  });
  card.addEventListener("submit", (event) => {
    event.preventDefault();
    if (!kept[card.name]) {
      put(card.querySelector(".verdict_text span"), "Enter a guess first.");
      return;
    }
    kept[card.name].revealed = true;
    write(kept);
    render(card);
    card.querySelector("[type=reset]").focus();
  });
  card.addEventListener("reset", (event) => {
    event.preventDefault();
    delete kept[card.name];
    write(kept);
    input.disabled = false;
    input.value = "";
    render(card);
    input.focus();
  });
  return card;
}
