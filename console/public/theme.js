// Sets light or dark before anything is drawn; src/lib/theme.ts does so from then on.
{
  const wish = localStorage.getItem("flowetl.theme");
  const dark = wish === "dark" || (wish !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.classList.toggle("dark", dark);
}
