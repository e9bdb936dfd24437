import { type Answer, STATUS_WORDS, words } from "./data";
import { byId, h } from "./dom";

const ROW_PX = 48;

// Only the rows in view exist, so a hundred thousand answers scroll like ten.
export class AnswerList {
  private rows: Answer[] = [];
  private selected = -1;
  private readonly box = byId("list");
  private readonly spacer = h("div", { class: "spacer" });

  constructor(private readonly choose: (answer: Answer) => void) {
    this.box.append(this.spacer);
    this.box.before(h("p", { class: "columns", "aria-hidden": "true" },
      ...["", "tile", "answer", "confidence"].map((name) => h("span", {}, name))));
    this.box.addEventListener("scroll", () => this.draw());
    this.box.addEventListener("keydown", (event) => this.key(event));
    new ResizeObserver(() => this.draw()).observe(this.box);
  }

  show(rows: Answer[]): void {
    this.rows = rows;
    this.selected = -1;
    this.spacer.style.height = `${rows.length * ROW_PX}px`;
    this.box.scrollTop = 0;
    this.draw();
  }

  select(answer: Answer, scroll = true): void {
    this.selected = this.rows.indexOf(answer);
    if (scroll && this.selected >= 0) {
      const top = this.selected * ROW_PX;
      const { scrollTop, clientHeight } = this.box;
      if (top < scrollTop || top + ROW_PX > scrollTop + clientHeight) {
        this.box.scrollTop = Math.max(0, top - clientHeight / 2);
      }
    }
    this.draw();
  }

  private key(event: KeyboardEvent): void {
    const page = Math.max(1, Math.floor(this.box.clientHeight / ROW_PX));
    const step: Record<string, number> = {
      ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -this.rows.length, End: this.rows.length,
    };
    const move = step[event.key];
    if (move === undefined || this.rows.length === 0) return;
    event.preventDefault();
    const next = Math.min(this.rows.length - 1, Math.max(0, this.selected + move));
    const answer = this.rows[next]!;
    this.select(answer);
    this.choose(answer);
  }

  private draw(): void {
    const first = Math.max(0, Math.floor(this.box.scrollTop / ROW_PX) - 4);
    const last = Math.min(this.rows.length, first + Math.ceil(this.box.clientHeight / ROW_PX) + 8);
    this.spacer.replaceChildren(
      ...this.rows.slice(first, last).map((answer, i) => this.row(answer, first + i)),
    );
  }

  private row(answer: Answer, index: number): HTMLElement {
    const said = answer.status === "answered" ? answer.text : words(answer.reason ?? answer.text);
    const chosen = index === this.selected;
    if (chosen) this.box.setAttribute("aria-activedescendant", `row-${index}`);
    return h(
      "div",
      {
        id: `row-${index}`,
        class: `row ${answer.status}`,
        role: "option",
        "aria-selected": String(chosen),
        "aria-setsize": String(this.rows.length),
        "aria-posinset": String(index + 1),
        style: `top:${index * ROW_PX}px`,
        onclick: () => {
          this.select(answer, false);
          this.choose(answer);
        },
      },
      h("span", { class: "swatch", "aria-hidden": "true" }),
      h("span", { class: "tile" }, answer.tile),
      h("span", { class: "said", title: said }, said || STATUS_WORDS[answer.status]),
      h("span", { class: "confidence" }, answer.confidence === null ? "" : answer.confidence.toFixed(2)),
    );
  }
}
