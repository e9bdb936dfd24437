import { type Answer, labelColour, type Payload, REASON_WORDS, type Ring, STATUS_WORDS, STATUSES, words } from "./data";
import { byId, h } from "./dom";

// Everything the run said about one tile, beside its own piece of the scene.
export class Details {
  private readonly box = byId("details");
  private readonly picture = new Image();

  constructor(private readonly payload: Payload, private readonly labels: string[]) {
    if (payload.picture) this.picture.src = payload.picture.href;
    this.clear();
  }

  clear(): void {
    const { answers, objects } = this.payload;
    const statuses = STATUSES.filter((status) => answers.some((answer) => answer.status === status));
    const line = (swatch: HTMLElement, text: string) => h("li", {}, swatch, text);
    this.box.replaceChildren(
      h("p", { class: "hint" }, "Choose a tile on the map or in the list to see what was answered there."),
      h("h2", {}, "On the map"),
      h("ul", { class: "legend" },
        ...statuses.map((status) => line(h("span", { class: `swatch ${status}`, "aria-hidden": "true" }), `${STATUS_WORDS[status]} tile`)),
        ...this.labels.map((label) => line(
          h("span", { class: "swatch outline", style: `--c:${labelColour(this.labels, label)}`, "aria-hidden": "true" }),
          `${words(label)}: ${objects.filter((object) => object.label === label).length.toLocaleString("en")}`))),
    );
  }

  async show(answer: Answer): Promise<void> {
    const all = this.payload.answers.filter((other) => other.tile === answer.tile);
    const objects = this.payload.objects.filter((object) => object.tile === answer.tile);
    const canvas = h("canvas", { class: "thumb", role: "img", "aria-label": `Picture of tile ${answer.tile}` });
    this.box.replaceChildren(
      h("h2", {}, `Tile ${answer.tile}`),
      ...(this.payload.picture?.corners ? [canvas] : []),
      h("dl", {}, ...all.flatMap((each) => [
        h("dt", { class: each === answer ? "current" : "" }, words(this.payload.questions[each.question]?.task ?? ""), h("small", {}, this.payload.questions[each.question]?.text ?? "")),
        h("dd", { class: each.status },
          h("span", { class: "badge" }, h("span", { class: "swatch", "aria-hidden": "true" }), STATUS_WORDS[each.status]),
          each.status === "refused"
            ? h("span", {}, `${REASON_WORDS[each.reason ?? ""] ?? words(each.reason ?? "")}`)
            : h("span", {}, each.text),
          each.confidence === null ? null : h("small", {}, `confidence ${each.confidence.toFixed(2)}`),
        ),
      ])),
      h("p", { class: "objects" }, ...this.labels
        .map((label) => [label, objects.filter((object) => object.label === label).length] as const)
        .filter(([, count]) => count > 0)
        .map(([label, count]) => h("span", { class: "tag", style: `--tag:${labelColour(this.labels, label)}` }, `${count} ${words(label)}`))),
      h("p", { class: "meta" }, [
        answer.gsd === null ? "" : `${answer.gsd.toPrecision(3)} m per pixel`,
        answer.valid === null ? "" : `${Math.round(answer.valid * 100)} % valid pixels`,
      ].filter(Boolean).join(" · ")),
    );
    if (this.payload.picture?.corners) {
      await this.picture.decode();
      this.draw(canvas, this.payload.tiles[answer.tile]!, objects.map((object) => [object.ring, labelColour(this.labels, object.label)]));
    }
  }

  private draw(canvas: HTMLCanvasElement, tile: Ring, objects: [Ring, string][]): void {
    const { corners, width, height } = this.payload.picture!;
    const toPixel = inverse(corners!, width, height);
    const points = tile.map(toPixel);
    const x0 = Math.min(...points.map((p) => p[0])), x1 = Math.max(...points.map((p) => p[0]));
    const y0 = Math.min(...points.map((p) => p[1])), y1 = Math.max(...points.map((p) => p[1]));
    const scale = 320 / Math.max(x1 - x0, y1 - y0, 1e-9);
    canvas.width = Math.max(1, Math.round((x1 - x0) * scale));
    canvas.height = Math.max(1, Math.round((y1 - y0) * scale));
    const context = canvas.getContext("2d")!;
    context.drawImage(this.picture, x0, y0, x1 - x0, y1 - y0, 0, 0, canvas.width, canvas.height);
    for (const [ring, colour] of objects) {
      context.beginPath();
      for (const point of ring) {
        const [x, y] = toPixel(point);
        context.lineTo((x - x0) * scale, (y - y0) * scale);
      }
      context.closePath();
      context.lineWidth = 4; context.strokeStyle = "#10151ca0"; context.stroke();
      context.lineWidth = 2; context.strokeStyle = colour; context.stroke();
    }
  }
}

// The picture's corners span a parallelogram closely enough for a thumbnail.
function inverse(corners: [number, number][], width: number, height: number): (p: [number, number]) => [number, number] {
  const [nw, ne, , sw] = corners as [[number, number], [number, number], [number, number], [number, number]];
  const [ax, ay] = [ne[0] - nw[0], ne[1] - nw[1]];
  const [bx, by] = [sw[0] - nw[0], sw[1] - nw[1]];
  const determinant = ax * by - ay * bx;
  return ([x, y]) => {
    const [px, py] = [x - nw[0], y - nw[1]];
    return [((px * by - py * bx) / determinant) * width, ((ax * py - ay * px) / determinant) * height];
  };
}
