// The page's behaviour: filtering, sorting, stepping through pictures by keys, and verdicts that the browser keeps.
"use strict";
const run = JSON.parse(document.getElementById("run").textContent);
const grid = document.getElementById("grid");
const cards = [...document.querySelectorAll(".card")];
const kind = document.getElementById("class"), order = document.getElementById("order"), text = document.getElementById("text");
const which = document.getElementById("which"), save = document.getElementById("save"), tally = document.getElementById("tally");
const place = `wsolkit:${run.key}`;
const orders = {
  doubt: (a, b) => a.dataset.trust - b.dataset.trust || a.dataset.number - b.dataset.number,
  sure: (a, b) => b.dataset.trust - a.dataset.trust || a.dataset.number - b.dataset.number,
  name: (a, b) => a.dataset.name < b.dataset.name ? -1 : 1,
  sample: (a, b) => a.dataset.sample - b.dataset.sample || a.dataset.number - b.dataset.number,
};
const steps = { ArrowRight: 1, ArrowDown: 1, j: 1, ArrowLeft: -1, ArrowUp: -1, k: -1 };
const words = { a: "accepted", r: "rejected" };
let verdicts = {}, before = [], current = null;
try {
  verdicts = { ...JSON.parse(localStorage.getItem(place) || "{}") }; // those of pictures that are not shown stay, too
} catch {
  document.getElementById("forgetful").hidden = false;
}

function verdictOf(card) {
  const verdict = verdicts[card.dataset.key] || card.dataset.known; // what the browser has is later than the run
  return Object.values(words).includes(verdict) ? verdict : undefined;
}

function keep() {
  try {
    localStorage.setItem(place, JSON.stringify(verdicts));
  } catch {
    document.getElementById("forgetful").hidden = false;
  }
}

function show(card) {
  const verdict = verdictOf(card) || "";
  card.dataset.verdict = verdict;
  for (const button of card.querySelectorAll("button")) button.setAttribute("aria-pressed", button.value === verdict);
}

function count() {
  const found = cards.map(verdictOf);
  const accepted = found.filter(each => each === "accepted").length, rejected = found.filter(each => each === "rejected").length;
  tally.value = `${accepted} accepted, ${rejected} rejected, ${cards.length - accepted - rejected} open`;
  save.disabled = !(accepted + rejected);
}

function set(card, verdict) {
  before.push([card, verdictOf(card)]);
  put(card, verdict);
}

function put(card, verdict) {
  if (verdict || card.dataset.known) verdicts[card.dataset.key] = verdict || "open"; else delete verdicts[card.dataset.key];
  keep();
  show(card);
  count();
}

function undo() {
  const last = before.pop();
  if (last) put(...last);
  else if (current && verdictOf(current)) put(current, undefined);
  if (last) {
    last[0].hidden = false;
    go(last[0]);
  }
}

function go(card) {
  if (!card) return;
  if (current) current.tabIndex = -1;
  current = card;
  card.tabIndex = 0;
  card.focus({ preventScroll: true });
  card.scrollIntoView({ block: "nearest" });
}

function step(by) {
  const shown = [...document.querySelectorAll(".card")].filter(card => !card.hidden || card === current);
  const at = shown.indexOf(current);
  go(at < 0 ? shown[by > 0 ? 0 : shown.length - 1] : shown[Math.min(Math.max(at + by, 0), shown.length - 1)]);
}

function filter() {
  const part = text.value.toLowerCase();
  let shown = 0;
  for (const card of cards) {
    const fits = (!kind.value || JSON.parse(card.dataset.classes).includes(kind.value))
      && card.dataset.name.toLowerCase().includes(part)
      && (!which.value || (verdictOf(card) || "open") === which.value);
    card.hidden = !fits;
    shown += fits;
  }
  document.getElementById("shown").value = `${shown} of ${cards.length} pictures`;
}

function judged() {
  const images = [], annotations = [];
  for (const card of cards) {
    const verdict = verdictOf(card), told = JSON.parse(card.dataset.image);
    if (!verdict) continue;
    const id = images.length + 1;
    const rejected = verdict === "rejected" ? { rejected: told.boxes.map(box => box.bbox) } : {};
    images.push({ id, file_name: told.file_name, width: told.width, height: told.height, verdict, ...rejected });
    for (const box of verdict === "accepted" ? told.boxes : [])
      annotations.push({ id: annotations.length + 1, image_id: id, area: box.bbox[2] * box.bbox[3], iscrowd: 0, ...box });
  }
  return { info: { description: "verdicts of wsolkit", run: run.key }, images, annotations, categories: run.categories };
}

save.addEventListener("click", () => {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([JSON.stringify(judged(), null, 1)], { type: "application/json" }));
  link.download = "verdicts.json";
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
});
document.addEventListener("keydown", event => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, select, textarea")) return;
  if (event.key in steps) step(steps[event.key]);
  else if (event.key === "u") undo();
  else if (event.key in words && current && !current.hidden) {
    set(current, words[event.key]);
    step(1);
  } else return;
  event.preventDefault();
});
document.addEventListener("focusin", event => {
  const card = event.target.closest(".card");
  if (card && card !== current) {
    if (current) current.tabIndex = -1;
    current = card;
    card.tabIndex = 0;
  }
});
for (const card of cards) {
  show(card);
  for (const button of card.querySelectorAll("button"))
    button.addEventListener("click", () => set(card, verdictOf(card) === button.value ? undefined : button.value));
}
for (const each of [kind, which]) each.addEventListener("change", filter);
text.addEventListener("input", filter);
order.addEventListener("change", () => grid && grid.append(...[...grid.children].sort(orders[order.value])));
kind.value = ""; order.value = "doubt"; text.value = ""; which.value = "";
filter();
count();
if (cards.length) cards[0].tabIndex = 0;
