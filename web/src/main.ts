import { drawCharts } from "./charts";
import { type Answer, type Payload, readPayload, REASON_WORDS, words } from "./data";
import { Details } from "./details";
import { append, byId, h } from "./dom";
import { buildFilters, type Filter, matches } from "./filters";
import { AnswerList } from "./list";
import { AnswerMap } from "./map";
import "./style.css";

const payload = readPayload();
const labels = [...new Set(payload.objects.map((object) => object.label))].sort();
const labelsByTile = new Map<string, Set<string>>();
for (const object of payload.objects) {
  labelsByTile.set(object.tile, (labelsByTile.get(object.tile) ?? new Set()).add(object.label));
}

drawHeader(payload);
drawFigures(payload);
drawCharts(payload, labels);
drawRefusals(payload);
drawProvenance(payload);

const details = new Details(payload, labels);
const list = new AnswerList((answer) => choose(answer, true));
const map = new AnswerMap(payload, labels, (answer) => choose(answer, false));
const filter = buildFilters(payload, labels, refresh);
refresh(filter);

const printed = h("img", { class: "printed", alt: "Map of the answers" });
byId("map").after(printed);
addEventListener("beforeprint", () => (printed.src = map.picture()));

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") {
    details.clear();
    map.reset();
  }
});

function choose(answer: Answer, fly: boolean): void {
  list.select(answer);
  void map.select(answer, fly);
  void details.show(answer);
}

function refresh(current: Filter): void {
  const rows = payload.answers.filter((answer) => matches(answer, current, labelsByTile));
  list.show(rows);
  void map.show(rows, current.label);
  const all = payload.answers.filter((answer) => current.question === null || answer.question === current.question).length;
  byId("shown").textContent = `${rows.length.toLocaleString("en")} of ${all.toLocaleString("en")} answers shown`;
}

function drawHeader({ title, subtitle, summary, notes }: Payload): void {
  document.title = `${title} · rsvlm_geo report`;
  append(byId("header"),
    h("p", { class: "brand" }, "rsvlm_geo"),
    h("h1", {}, title),
    h("p", { class: "subtitle" }, subtitle),
    summary ? h("p", { class: "summary" }, summary) : null,
    ...notes.map((note) => h("p", { class: "note" }, note)),
  );
  byId("footer").append(h("p", {}, "Made by rsvlm_geo. This page needs no network: everything it shows is inside it."));
}

function drawFigures({ totals }: Payload): void {
  byId("figures").append(
    ...totals.map((total) =>
      h("div", { class: total.complete ? "figure" : "figure partial" },
        h("span", { class: "label" }, total.label),
        h("strong", {}, total.value),
        h("span", { class: "note" }, total.note),
      ),
    ),
  );
}

function drawRefusals({ answers, questions }: Payload): void {
  const groups = new Map<string, { question: number; reason: string; tiles: Set<string> }>();
  for (const answer of answers) {
    if (answer.status !== "refused") continue;
    const key = `${answer.question} ${answer.reason}`;
    const group = groups.get(key) ?? { question: answer.question, reason: answer.reason ?? "", tiles: new Set() };
    group.tiles.add(answer.tile);
    groups.set(key, group);
  }
  const box = byId("refusals");
  box.append(h("h2", {}, "What was refused, and why"));
  if (groups.size === 0) {
    box.append(h("p", {}, "Nothing was refused in this run."));
    return;
  }
  box.append(
    h("p", {}, "A refusal is an answer: it says that the image, or the model, cannot tell. It is never counted as “no” or as zero."),
    h("table", {},
      h("thead", {}, h("tr", {}, ...["Question", "Reason", "Meaning", "Tiles"].map((name) => h("th", { scope: "col" }, name)))),
      h("tbody", {}, ...[...groups.values()].sort((a, b) => b.tiles.size - a.tiles.size).map((group) =>
        h("tr", {},
          h("td", {}, questions[group.question]?.text ?? ""),
          h("td", {}, words(group.reason)),
          h("td", {}, REASON_WORDS[group.reason] ?? ""),
          h("td", { class: "number" }, String(group.tiles.size)),
        ))),
    ),
  );
}

function drawProvenance({ provenance }: Payload): void {
  // long: closed on a phone, open on a desk, and always open on paper
  const whole = h("details", { open: innerWidth > 900 },
    h("summary", {}, h("h2", {}, "Provenance"), h("span", {}, `${provenance.length} facts about this run`)),
    h("dl", {}, ...provenance.map(([name, value]) => h("div", {}, h("dt", {}, words(name)), h("dd", {}, value)))),
  );
  byId("provenance").append(whole);
  let open = whole.open;
  addEventListener("beforeprint", () => { open = whole.open; whole.open = true; });
  addEventListener("afterprint", () => { whole.open = open; });
}
