// Text that the browser keeps: one entry of localStorage, read once and written when the server's text changes.

const PREFIX = "effviz.";
const LONGEST = 65536;

/** `data`: the key, and the server's text; null until the server knows what the browser has. */
export function draw({ data, setStateValue }) {
  const key = PREFIX + data.key;
  try {
    if (data.text !== null) {
      if (localStorage.getItem(key) !== data.text) localStorage.setItem(key, data.text);
      return;
    }
    const text = localStorage.getItem(key) ?? "";
    setStateValue("text", text.length <= LONGEST ? text : "");
  } catch {
    if (data.text === null) setStateValue("text", ""); // storage is blocked or full
  }
}
