import maplibregl, { type GeoJSONSource, type LngLatBoundsLike, type Map as MapLibre } from "maplibre-gl";
import "maplibre-gl/dist/maplibre-gl.css";
import { byId } from "./dom";
import { type Answer, labelColour, type Payload, type Ring, STATUS_COLOURS } from "./data";

type Features = GeoJSON.FeatureCollection<GeoJSON.Polygon>;

export class AnswerMap {
  private readonly map: MapLibre;
  private readonly ready: Promise<void>;
  private shown: Answer[] = [];

  constructor(
    private readonly payload: Payload,
    private readonly labels: string[],
    choose: (answer: Answer) => void,
  ) {
    const bounds = boundsOf(Object.values(payload.tiles));
    const box = byId("map");
    box.style.setProperty("--shape", String(shapeOf(bounds)));
    this.map = new maplibregl.Map({
      container: "map",
      style: { version: 8, sources: {}, layers: [{ id: "paper", type: "background", paint: { "background-color": getComputedStyle(box).backgroundColor } }] },
      bounds,
      fitBoundsOptions: { padding: 24 },
      attributionControl: false,
      canvasContextAttributes: { preserveDrawingBuffer: true },
      dragRotate: false,
      pitchWithRotate: false,
      maxZoom: 26,
      renderWorldCopies: false,
      fadeDuration: 0,
    });
    this.map.addControl(new maplibregl.NavigationControl({ showCompass: false }), "top-right");
    if (payload.georeferenced) this.map.addControl(new maplibregl.ScaleControl({ maxWidth: 120 }), "bottom-left");
    this.ready = new Promise((resolve) => this.map.once("load", () => resolve(this.build())));
    this.map.on("click", "tiles", (event) => {
      const index = event.features?.[0]?.properties["index"] as number | undefined;
      const answer = index === undefined ? undefined : this.shown[index];
      if (answer) choose(answer);
    });
    for (const layer of ["tiles", "objects"]) {
      this.map.on("mouseenter", layer, () => (this.map.getCanvas().style.cursor = "pointer"));
      this.map.on("mouseleave", layer, () => (this.map.getCanvas().style.cursor = ""));
    }
  }

  async show(answers: Answer[], label: string | null): Promise<void> {
    await this.ready;
    this.shown = answers;
    source(this.map, "tiles").setData(collection(answers.map((answer, index) => ({
      ring: this.payload.tiles[answer.tile]!,
      properties: { index, status: answer.status },
    }))));
    const visible = new Set(answers.map((answer) => answer.tile));
    source(this.map, "objects").setData(collection(
      this.payload.objects
        .filter((object) => visible.has(object.tile) && (label === null || object.label === label))
        .map((object) => ({ ring: object.ring, properties: { colour: labelColour(this.labels, object.label) } })),
    ));
  }

  async select(answer: Answer, fly: boolean): Promise<void> {
    await this.ready;
    const ring = this.payload.tiles[answer.tile]!;
    source(this.map, "selected").setData(collection([{ ring, properties: {} }]));
    if (fly) {
      const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
      this.map.fitBounds(boundsOf([ring]), { padding: 90, duration: still ? 0 : 400 });
    }
  }

  reset(): void {
    this.map.fitBounds(boundsOf(Object.values(this.payload.tiles)), { padding: 24, duration: 0 });
  }

  // The whole scene as a picture, for paper: a map on a page cannot be moved.
  picture(): string {
    this.reset();
    this.map.redraw();
    return this.map.getCanvas().toDataURL("image/png");
  }

  private build(): void {
    const { map, payload } = this;
    if (payload.picture?.corners) {
      const corners = payload.picture.corners as [[number, number], [number, number], [number, number], [number, number]];
      map.addSource("picture", { type: "image", url: payload.picture.href, coordinates: corners });
      map.addLayer({ id: "picture", type: "raster", source: "picture", paint: { "raster-fade-duration": 0 } });
    }
    map.addImage("hatch", hatch(STATUS_COLOURS.refused), { pixelRatio: 2 });
    for (const id of ["tiles", "objects", "selected"]) map.addSource(id, { type: "geojson", data: collection([]) });
    const colour = ["match", ["get", "status"], ...Object.entries(STATUS_COLOURS).flat(), "#000"] as never;
    map.addLayer({ id: "tiles", type: "fill", source: "tiles", paint: {
      "fill-color": colour,
      "fill-opacity": ["match", ["get", "status"], "answered", 0.1, "refused", 0.02, "nodata", 0.35, 0.4],
    } });
    map.addLayer({ id: "refused", type: "fill", source: "tiles", filter: ["==", ["get", "status"], "refused"], paint: { "fill-pattern": "hatch" } });
    map.addLayer({ id: "edges", type: "line", source: "tiles", paint: { "line-color": colour, "line-width": 1.2, "line-opacity": 0.9 } });
    map.addLayer({ id: "objects-halo", type: "line", source: "objects", paint: { "line-color": "#10151c", "line-width": 3.4, "line-opacity": 0.65 } });
    map.addLayer({ id: "objects", type: "line", source: "objects", paint: { "line-color": ["get", "colour"], "line-width": 1.8 } });
    map.addLayer({ id: "selected", type: "line", source: "selected", paint: { "line-color": "#ffffff", "line-width": 4 } });
    map.addLayer({ id: "selected-core", type: "line", source: "selected", paint: { "line-color": "#111827", "line-width": 1.6 } });
  }
}

function source(map: MapLibre, id: string): GeoJSONSource {
  return map.getSource(id) as GeoJSONSource;
}

function collection(features: { ring: Ring; properties: Record<string, unknown> }[]): Features {
  return {
    type: "FeatureCollection",
    features: features.map(({ ring, properties }) => ({
      type: "Feature",
      properties,
      geometry: { type: "Polygon", coordinates: [ring] },
    })),
  };
}

function boundsOf(rings: Ring[]): LngLatBoundsLike {
  let [west, south, east, north] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const ring of rings) {
    for (const [x, y] of ring) {
      west = Math.min(west, x); east = Math.max(east, x);
      south = Math.min(south, y); north = Math.max(north, y);
    }
  }
  return rings.length === 0 ? [-180, -60, 180, 60] : [west, south, east, north];
}

// Width over height on the ground, so that a long scene does not float in an empty square.
function shapeOf(bounds: LngLatBoundsLike): number {
  const [west, south, east, north] = bounds as [number, number, number, number];
  const wide = (east - west) * Math.cos((((south + north) / 2) * Math.PI) / 180);
  return Math.min(4, Math.max(0.5, wide / Math.max(north - south, 1e-12)));
}

function hatch(colour: string): ImageData {
  const size = 16;
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = size;
  const context = canvas.getContext("2d")!;
  context.strokeStyle = colour;
  context.lineWidth = 3;
  for (const shift of [-size, 0, size]) {
    context.beginPath();
    context.moveTo(shift, size);
    context.lineTo(shift + size, 0);
    context.stroke();
  }
  return context.getImageData(0, 0, size, size);
}
