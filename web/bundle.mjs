// Turns dist/ into the one self-contained page that the Python package fills with data.
import { createHash } from "node:crypto";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";

const read = (path) => readFileSync(new URL(path, import.meta.url), "utf8");
const assets = readdirSync(new URL("dist/assets", import.meta.url));
const asset = (suffix) => read(`dist/assets/${assets.find((name) => name.endsWith(suffix))}`);

// "</script" or "<!--" inside the code would end or confuse the element that holds it.
const script = asset(".js").replaceAll("</script", "<\\/script").replaceAll("<!--", "<\\!--");
const page = read("dist/index.html")
  .replace(/\s*<script type="module"[^>]*><\/script>/, "")
  .replace(/\s*<link rel="stylesheet"[^>]*>/, () => `\n    <style>${asset(".css")}</style>`)
  .replace("</body>", () => `  <script type="module">${script}</script>\n  </body>`);

const hash = createHash("sha256");
for (const name of ["index.html", "package-lock.json", "vite.config.ts", "bundle.mjs",
  ...readdirSync(new URL("src", import.meta.url)).sort().map((file) => `src/${file}`)]) {
  hash.update(name).update(read(name));
}
const stamped = page.replace("<head>", `<head>\n    <meta name="source-sha256" content="${hash.digest("hex")}" />`);
writeFileSync(new URL("../rsvlm_geo/report/template.html", import.meta.url), stamped);
console.log(`rsvlm_geo/report/template.html: ${(stamped.length / 1e6).toFixed(2)} MB`);
