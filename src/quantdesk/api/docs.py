"""The page at /api/docs: every route of the OpenAPI document, with no script from elsewhere."""

PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>QuantDesk API</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}
code,pre{font:13px/1.4 ui-monospace,monospace}pre{background:#8881;padding:.8rem;overflow:auto}
details{border-top:1px solid #8884;padding:.4rem 0}summary{cursor:pointer}
b{display:inline-block;width:4.5rem}
@media (prefers-color-scheme:dark){body{background:#111;color:#ddd}}
</style>
<h1>QuantDesk API</h1>
<p>The machine-readable document: <a href="/api/openapi.json">/api/openapi.json</a></p>
<main id="routes">Loading…</main>
<script>
const resolve = (node, all) => node && node.$ref ? all[node.$ref.split("/").pop()] : node;
const shape = (body, all) => {
  const media = body && body.content && Object.values(body.content)[0];
  return media ? JSON.stringify(resolve(media.schema, all), null, 1) : "";
};
const add = (parent, tag, text) => {
  const node = document.createElement(tag);
  node.textContent = text;
  parent.append(node);
  return node;
};
fetch("/api/openapi.json").then(answer => answer.json()).then(api => {
  const main = document.getElementById("routes");
  main.textContent = "";
  for (const [path, methods] of Object.entries(api.paths))
    for (const [method, route] of Object.entries(methods)) {
      const box = add(main, "details", "");
      const head = add(box, "summary", "");
      add(head, "b", method.toUpperCase());
      add(head, "code", path);
      add(head, "span", "  " + (route.summary || ""));
      if (route.requestBody)
        add(box, "pre", "request " + shape(route.requestBody, api.components.schemas));
      for (const [code, answer] of Object.entries(route.responses))
        add(box, "pre", code + " " + shape(answer, api.components.schemas));
    }
}).catch(problem => { document.getElementById("routes").textContent = "" + problem; });
</script></html>
"""
