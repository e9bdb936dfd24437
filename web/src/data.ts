// What the Python side writes into the page; rsvlm_geo/report/payload.py is its other half.

export type Status = "answered" | "refused" | "unreadable" | "nodata" | "failed";
export type Ring = [number, number][];

export interface Answer {
  tile: string;
  question: number;
  status: Status;
  text: string;
  value: number | null;
  unit: string | null;
  confidence: number | null;
  reason: string | null;
  gsd: number | null;
  valid: number | null;
}

export interface Obj {
  tile: string;
  label: string;
  score: number | null;
  area: number | null;
  ring: Ring;
}

export interface Question {
  task: string;
  text: string;
}

export interface Total {
  label: string;
  value: string;
  note: string;
  complete: boolean;
}

export interface Payload {
  title: string;
  subtitle: string;
  summary: string;
  georeferenced: boolean;
  questions: Question[];
  tiles: Record<string, Ring>;
  answers: Answer[];
  objects: Obj[];
  totals: Total[];
  coverage: Record<string, number>;
  picture: { href: string; corners: [number, number][] | null; width: number; height: number } | null;
  provenance: [string, string][];
  notes: string[];
}

export const STATUSES: Status[] = ["answered", "refused", "unreadable", "nodata", "failed"];

export const STATUS_WORDS: Record<Status, string> = {
  answered: "Answered",
  refused: "Refused",
  unreadable: "Unreadable",
  nodata: "No data",
  failed: "Failed",
};

export const STATUS_COLOURS: Record<Status, string> = {
  answered: "#0f7b63",
  refused: "#b35900",
  unreadable: "#7a3fb0",
  nodata: "#6b7280",
  failed: "#c01f2e",
};

export const REASON_WORDS: Record<string, string> = {
  invisible: "What was asked about cannot be seen in this tile.",
  panchromatic: "A colour was asked of an image that has none.",
  below_gsd: "The object is too small for this ground resolution.",
  modality: "This kind of image cannot tell.",
  low_confidence: "The model was not sure enough to say.",
  out_of_scope: "The model was never taught this; it does not guess.",
};

export const LABEL_COLOURS = [
  "#f7d038", "#3ec1f3", "#ff6f91", "#8ae234", "#ff9a3c", "#c58af9", "#5eead4", "#f472b6",
];

export function readPayload(): Payload {
  const element = document.getElementById("payload");
  return JSON.parse(element?.textContent ?? "{}") as Payload;
}

export function labelColour(labels: string[], label: string): string {
  return LABEL_COLOURS[labels.indexOf(label) % LABEL_COLOURS.length] ?? LABEL_COLOURS[0]!;
}

export function words(name: string): string {
  return name.replaceAll("_", " ");
}

export function percent(share: number): string {
  if (share > 0 && share < 0.001) return "<0.1 %";
  if (share < 1 && share > 0.999) return ">99.9 %";
  return `${(share * 100).toFixed(share === 0 || share === 1 ? 0 : 1)} %`;
}
