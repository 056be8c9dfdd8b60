// The frame of a page in the browser: a button that copies the address, and the behavior of menus that open over the page.

export function draw({ parentElement, data }) {
  const button = parentElement.querySelector("button");
  button.textContent = data.label;
  button.onclick = () => copy(button, data);
  document.onclick = (event) => closeChips((chip) => !chip.contains(event.target));
  document.onkeydown = (event) => { if (event.key === "Escape") closeChips(() => true); };
  repairNavigation();
  // Charts follow the window only, but present mode changes the room in it.
  requestAnimationFrame(() => window.dispatchEvent(new Event("resize")));
}

async function copy(button, { label, done }) {
  const address = window.location.href;
  try {
    await navigator.clipboard.writeText(address);
  } catch {
    // The clipboard API needs a secure context. Without one, select a field and copy.
    const field = Object.assign(document.createElement("textarea"), { value: address });
    document.body.append(field);
    field.select();
    document.execCommand("copy");
    field.remove();
  }
  button.textContent = done;
  setTimeout(() => { button.textContent = label; }, 1500);
}

/** Close what opens over the page, as a menu does, where `leaves` says so. */
function closeChips(leaves) {
  for (const chip of document.querySelectorAll(".st-key-convention details[open]")) {
    if (leaves(chip)) chip.querySelector("summary").click();
  }
}

/** On a phone, Streamlit writes the sections of the navigation into a list, where only entries are legal. */
function repairNavigation() {
  const repair = () => {
    const list = document.querySelector("[data-testid=stSidebarNavItems]:not([role])");
    list?.setAttribute("role", "group");
    for (const item of list?.querySelectorAll("li") ?? []) item.setAttribute("role", "none");
  };
  repair();
  const sidebar = document.querySelector("[data-testid=stApp]");
  if (!sidebar || sidebar.dataset.repaired) return;
  sidebar.dataset.repaired = "true";
  new MutationObserver(repair).observe(sidebar, { childList: true, subtree: true });
}
