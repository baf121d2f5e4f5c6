// Gives the person a file that was made here.

export function saveFile(name: string, content: string | Blob, type = "application/json"): void {
  const blob = content instanceof Blob ? content : new Blob([content], { type });
  const url = URL.createObjectURL(blob);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  // The browser reads it once the click is over.
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}

/** Has the browser fetch a file by itself, from an address that sends it as one. */
export function fetchFile(url: string): void {
  const link = document.createElement("a");
  link.href = url;
  link.download = "";
  link.click();
}
