import { type Answer, type Payload, STATUSES, type Status, STATUS_WORDS, words } from "./data";
import { byId, h } from "./dom";

export interface Filter {
  question: number | null;
  statuses: Set<Status>;
  label: string | null;
  text: string;
  confidence: number;
}

export function matches(answer: Answer, filter: Filter, labelsByTile: Map<string, Set<string>>): boolean {
  return (
    (filter.question === null || answer.question === filter.question) &&
    filter.statuses.has(answer.status) &&
    (filter.label === null || (labelsByTile.get(answer.tile)?.has(filter.label) ?? false)) &&
    (filter.confidence === 0 || (answer.confidence ?? 0) >= filter.confidence) &&
    (filter.text === "" ||
      `${answer.tile} ${answer.text} ${words(answer.reason ?? "")}`.toLowerCase().includes(filter.text))
  );
}

export function buildFilters(payload: Payload, labels: string[], changed: (filter: Filter) => void): Filter {
  const filter: Filter = {
    question: payload.questions.length > 0 ? 0 : null,
    statuses: new Set(STATUSES),
    label: null,
    text: "",
    confidence: 0,
  };
  const count = new Map<Status, number>();
  for (const answer of payload.answers) count.set(answer.status, (count.get(answer.status) ?? 0) + 1);

  const question = h(
    "select",
    {
      id: "filter-question",
      onchange: (event) => {
        const value = (event.target as HTMLSelectElement).value;
        filter.question = value === "" ? null : Number(value);
        changed(filter);
      },
    },
    ...payload.questions.map((q, i) => h("option", { value: String(i), selected: i === 0 }, `${words(q.task)}: ${q.text}`)),
    h("option", { value: "" }, "All questions"),
  );
  const statuses = h(
    "fieldset",
    { class: "statuses" },
    h("legend", {}, "Status"),
    ...STATUSES.filter((status) => count.has(status)).map((status) =>
      h(
        "label",
        { class: `chip ${status}` },
        h("input", {
          type: "checkbox",
          checked: true,
          name: status,
          onchange: (event) => {
            if ((event.target as HTMLInputElement).checked) filter.statuses.add(status);
            else filter.statuses.delete(status);
            changed(filter);
          },
        }),
        h("span", { class: "swatch", "aria-hidden": "true" }),
        `${STATUS_WORDS[status]} `,
        h("b", {}, String(count.get(status))),
      ),
    ),
  );
  const label = h(
    "select",
    {
      id: "filter-label",
      onchange: (event) => {
        filter.label = (event.target as HTMLSelectElement).value || null;
        changed(filter);
      },
    },
    h("option", { value: "" }, "Any object"),
    ...labels.map((name) => h("option", { value: name }, words(name))),
  );
  const text = h("input", {
    id: "filter-text",
    type: "search",
    placeholder: "Words in the answer",
    oninput: (event) => {
      filter.text = (event.target as HTMLInputElement).value.trim().toLowerCase();
      changed(filter);
    },
  });
  const shownConfidence = h("output", { for: "filter-confidence" }, "any");
  const confidence = h("input", {
    id: "filter-confidence",
    type: "range",
    min: "0",
    max: "1",
    step: "0.05",
    value: "0",
    oninput: (event) => {
      filter.confidence = Number((event.target as HTMLInputElement).value);
      shownConfidence.textContent = filter.confidence === 0 ? "any" : `≥ ${filter.confidence.toFixed(2)}`;
      changed(filter);
    },
  });
  byId("filters").append(
    h("label", { class: "field wide", for: "filter-question" }, h("span", {}, "Question"), question),
    statuses,
    ...(labels.length > 0
      ? [h("label", { class: "field", for: "filter-label" }, h("span", {}, "Object"), label)]
      : []),
    h("label", { class: "field", for: "filter-text" }, h("span", {}, "Search"), text),
    h("label", { class: "field", for: "filter-confidence" }, h("span", {}, "Confidence ", shownConfidence), confidence),
  );
  return filter;
}
