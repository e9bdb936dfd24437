import { labelColour, type Payload, percent, STATUS_COLOURS, words } from "./data";
import { byId, h, s } from "./dom";

const COVERAGE_COLOURS: Record<string, string> = {
  answered: STATUS_COLOURS.answered,
  refused: STATUS_COLOURS.refused,
  nodata: "#9aa3af",
  failed: STATUS_COLOURS.failed,
  pending: "#3b6fb5",
};

export function drawCharts(payload: Payload, labels: string[]): void {
  const box = byId("charts");
  box.append(card("Coverage of the asked area", coverage(payload.coverage)));
  if (labels.length > 0) {
    const counts = labels.map((label) => payload.objects.filter((object) => object.label === label).length);
    box.append(card("Objects by class", bars(labels, counts)));
  }
  const confidences = payload.answers.flatMap((answer) =>
    answer.status === "answered" && answer.confidence !== null ? [answer.confidence] : [],
  );
  if (confidences.length > 0) {
    box.append(card(`Confidence of ${confidences.length.toLocaleString("en")} answers`, histogram(confidences)));
  }

  function bars(names: string[], counts: number[]): SVGElement {
    const top = Math.max(...counts, 1);
    const rows = names.map((name, i) => {
      const y = i * 26;
      const width = (190 * counts[i]!) / top;
      return s("g", {},
        s("text", { x: "0", y: String(y + 16), class: "axis" }, words(name)),
        s("rect", { x: "120", y: String(y + 4), width: String(Math.max(width, 1)), height: "16", rx: "3", fill: labelColour(labels, name), stroke: "#374151", "stroke-width": ".5" }),
        s("text", { x: String(126 + width), y: String(y + 16), class: "number" }, counts[i]!.toLocaleString("en")),
      );
    });
    return svg(360, names.length * 26 + 6, `Objects by class: ${names.map((n, i) => `${words(n)} ${counts[i]}`).join(", ")}`, ...rows);
  }
}

function coverage(shares: Record<string, number>): SVGElement {
  const parts = Object.entries(shares).filter(([, share]) => share > 0);
  let x = 0;
  const rects: SVGElement[] = [];
  for (const [name, share] of parts) {
    rects.push(s("rect", { x: String(x * 360), y: "0", width: String(share * 360), height: "26", fill: COVERAGE_COLOURS[name] ?? "#000" }));
    x += share;
  }
  const legend = parts.map(([name, share], i) => {
    const [column, row] = [i % 2, Math.floor(i / 2)];
    return s("g", { transform: `translate(${column * 180} ${44 + row * 24})` },
      s("rect", { width: "12", height: "12", rx: "2", fill: COVERAGE_COLOURS[name] ?? "#000" }),
      s("text", { x: "18", y: "11", class: "number" }, `${words(name)} ${percent(share)}`),
    );
  });
  return svg(360, 44 + Math.ceil(parts.length / 2) * 24, `Coverage: ${parts.map(([n, v]) => `${n} ${percent(v)}`).join(", ")}`, ...rects, ...legend);
}

function histogram(values: number[]): SVGElement {
  const bins = new Array<number>(10).fill(0);
  for (const value of values) bins[Math.min(9, Math.floor(value * 10))]! += 1;
  const top = Math.max(...bins);
  const rects = bins.map((count, i) => {
    const height = (110 * count) / top;
    return s("rect", { x: String(i * 35 + 4), y: String(116 - height), width: "31", height: String(height), fill: "#0f7b63", rx: "2" },
      s("title", {}, `${(i / 10).toFixed(1)} to ${((i + 1) / 10).toFixed(1)}: ${count}`));
  });
  const ticks = [0, 0.5, 1].map((tick) =>
    s("text", { x: String(tick * 350 + 4), y: "134", class: "axis", "text-anchor": tick === 0 ? "start" : tick === 1 ? "end" : "middle" }, tick.toFixed(1)));
  return svg(360, 140, `Histogram of confidence over ${values.length} answers`, ...rects,
    s("line", { x1: "0", x2: "358", y1: "117", y2: "117", stroke: "#9aa3af" }), ...ticks);
}

function svg(width: number, height: number, label: string, ...children: SVGElement[]): SVGElement {
  return s("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label }, ...children);
}

function card(title: string, content: Node): HTMLElement {
  return h("figure", { class: "card" }, h("figcaption", {}, title), content);
}
