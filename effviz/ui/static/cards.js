// Headline numbers, updated in place. `show` also serves a slider that is being dragged.

const decoder = new TextDecoder();
let serial = 0;

export function draw({ parentElement, data }) {
  const { cards, titled } = JSON.parse(decoder.decode(data));
  show(parentElement.querySelector(".cards"), cards);
  const beside = document.querySelector(".titled");
  if (beside) write(beside, titled);
}

/**
 * Write cards of {label, text, unit, help, below, against, stale, over, aside, badge, named, key} into the element `box`. With `others`, further
 * cards and those in whose place is null stay and are dimmed: they belong to the state before.
 */
export function show(box, cards, others = false) {
  if (others) [...box.children].slice(cards.length).forEach((item) => item.classList.add("stale"));
  else while (box.children.length > cards.length) box.lastChild.remove();
  while (box.children.length < cards.length) box.append(empty());
  cards.forEach((card, place) => {
    const item = box.children[place];
    if (!card) {
      item.classList.add("stale");
      return;
    }
    if (card.key) item.dataset.key = `card_${card.key}`;
    item.classList.toggle("stale", card.stale);
    item.classList.toggle("over", Boolean(card.over));
    item.classList.toggle("named", Boolean(card.named));
    write(item.querySelector(".label"), card.label);
    write(item.querySelector(".badge"), card.badge ?? "");
    write(item.querySelector(".text"), card.text);
    write(item.querySelector(".unit"), card.unit && ` ${card.unit}`);
    write(item.querySelector(".aside"), card.aside);
    write(item.querySelector(".below"), card.below);
    write(item.querySelector(".against"), card.against && ` vs ${card.against}`);
    // The line may be cut.
    item.querySelector(".change").title = card.below + (card.against && ` vs ${card.against}`);
    write(item.querySelector(".help > div"), card.help);
    item.querySelector("summary").setAttribute("aria-label", `About ${card.label}`);
  });
}

function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function empty() {
  const item = document.createElement("div");
  const id = `card-${++serial}`;
  item.className = "card";
  item.setAttribute("role", "group");
  item.setAttribute("aria-labelledby", id);
  item.innerHTML = `<div class="top"><span class="label" id="${id}"></span><span
    class="badge"></span><span class="aside"></span><details class="help"><summary>?</summary>
    <div></div></details></div><div class="number"><span
    class="text"></span><span class="unit"></span></div><div class="change"><span class="below"></span><span
    class="against"></span></div>`;
  const help = item.querySelector("details");
  help.addEventListener("keydown", (event) => { if (event.key === "Escape") help.open = false; });
  help.addEventListener("focusout", (event) => { if (!help.contains(event.relatedTarget)) help.open = false; });
  return item;
}
