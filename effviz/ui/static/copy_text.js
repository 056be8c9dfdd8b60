// A button that copies a text that the page does not show, such as a secret link.

export function draw({ parentElement, data }) {
  const button = parentElement.querySelector("button");
  button.textContent = data.label;
  button.onclick = async () => {
    if (navigator.clipboard) {
      await navigator.clipboard.writeText(data.text);
      button.textContent = data.done;
      setTimeout(() => { button.textContent = data.label; }, 1500);
    } else {
      window.prompt(data.label, data.text); // without a secure context, there is no clipboard
    }
  };
}
