/**
 * Copies a text that may still be on its way. The promise goes to the browser as it is where that is possible,
 * because Safari lets a page write only during the click, not after waiting for a server.
 */
export async function copyText(text: string | Promise<string>): Promise<void> {
  if (navigator.clipboard) {
    if (typeof text !== "string" && typeof ClipboardItem !== "undefined") {
      const blob = text.then((value) => new Blob([value], { type: "text/plain" }));
      return navigator.clipboard.write([new ClipboardItem({ "text/plain": blob })]);
    }
    return navigator.clipboard.writeText(await text);
  }
  // Pages without TLS on another host than localhost have no clipboard object.
  return copyBySelection(await text);
}

function copyBySelection(text: string): void {
  const before = document.activeElement;
  const area = document.createElement("textarea");
  area.value = text;
  area.readOnly = true;
  area.style.position = "fixed";
  area.style.opacity = "0";
  document.body.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  if (before instanceof HTMLElement) before.focus();
  if (!done) throw new Error("the browser refused to copy");
}
