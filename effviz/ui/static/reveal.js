// Scroll to the place where this component is, once: a link leads there, and not to the beginning of its page.

const revealed = new WeakSet();

export function draw({ parentElement }) {
  if (revealed.has(parentElement)) return;
  revealed.add(parentElement);
  // Streamlit begins a page at its top, after this.
  setTimeout(() => {
    const place = parentElement.closest("[data-testid=stElementContainer]")?.nextElementSibling ?? parentElement;
    place.style.scrollMarginTop = "4.5rem";
    place.scrollIntoView({ block: "start" });
  }, 300);
}
