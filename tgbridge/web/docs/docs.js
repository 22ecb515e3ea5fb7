// Each form sends what is in it, with this page's own cookie, and shows the answer as it comes.
const root = new URL(".", import.meta.url); // this file stands at the service's root
const SHOWN = 200_000; // characters

const session = document.getElementById("session");
const make = (tag, fields) => Object.assign(document.createElement(tag), fields);

// What is not text is JSON; what is not JSON is sent as it is, to see what the service says.
function valueOf({ dataset, value }) {
  if (dataset.kind !== "json") return value;
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}

function requestOf(form) {
  const { method, path, body: type } = form.dataset;
  const headers = {};
  const query = new URLSearchParams();
  const json = {};
  const multipart = new FormData();
  let filled = path;
  let bytes;
  for (const field of form.querySelectorAll("[name]")) {
    const { name, value, files } = field;
    const given = files ? files.length > 0 : value !== "";
    switch (field.dataset.in) {
      case "path":
        filled = filled.replace(`{${name}}`, () => encodeURIComponent(value));
        break;
      case "query":
        if (given) query.append(name, value);
        break;
      case "header":
        if (given) headers[name] = value;
        break;
      case "bytes":
        bytes = files[0];
        break;
      default:
        if (given || "required" in field.dataset) json[name] = valueOf(field);
        if (given) for (const part of files ?? [value]) multipart.append(name, part);
    }
  }
  const url = new URL(filled.slice(1) + (query.size ? `?${query}` : ""), root);
  if (type === "application/json" && Object.keys(json).length > 0) {
    return [url, { method, headers: { ...headers, "Content-Type": type }, body: JSON.stringify(json) }];
  }
  if (bytes) return [url, { method, headers: { ...headers, "Content-Type": type }, body: bytes }];
  return [url, { method, headers, ...(type === "multipart/form-data" && { body: multipart }) }];
}

// Shows a text piece by piece, as much as a person reads: a list is long, and an event stream may never end.
async function showText(response, type, box) {
  const pre = box.appendChild(make("pre", { tabIndex: 0 }));
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let read = await reader.read();
  for (; !read.done && pre.textContent.length < SHOWN; read = await reader.read()) pre.append(read.value);
  if (!read.done) {
    await reader.cancel();
    pre.append("\n…");
  } else if (type === "application/json" && pre.textContent) {
    pre.textContent = JSON.stringify(JSON.parse(pre.textContent), null, 2);
  }
}

const PLAYERS = { image: "img", video: "video", audio: "audio" };

async function showBody(response, { method }, box, stop) {
  const type = (response.headers.get("Content-Type") ?? "").split(";")[0].trim();
  const player = PLAYERS[type.split("/")[0]];
  if (method === "HEAD" || response.status === 204 || response.status === 304) return;
  if (player && method === "GET" && response.status === 200) {
    stop.abort(); // the element asks for what it needs
    box.append(make(player, { src: response.url, controls: true, alt: "What was asked for" }));
  } else if (type.startsWith("text/") || type === "application/json") {
    await showText(response, type, box);
  } else {
    stop.abort();
    const size = response.headers.get("Content-Length") ?? "some";
    box.append(make("a", { href: response.url, download: "", textContent: `Save ${size} bytes of ${type}` }));
  }
}

async function send(form) {
  const [button, stopButton] = form.querySelectorAll("button");
  const box = form.querySelector(".answer");
  const stop = new AbortController();
  const status = make("p", { textContent: "Asking …", role: "status" });
  box.replaceChildren(status);
  box.hidden = false;
  box.classList.remove("failed");
  stopButton.onclick = () => stop.abort();
  stopButton.hidden = false;
  button.disabled = true;
  try {
    const [url, options] = requestOf(form);
    const response = await fetch(url, { ...options, signal: stop.signal });
    status.textContent = `${response.status} ${response.statusText}`;
    box.classList.toggle("failed", !response.ok && response.status !== 304);
    const fields = [...response.headers].map(([name, value]) => `${name}: ${value}\n`).join("");
    const head = box.appendChild(make("details"));
    head.append(make("summary", { textContent: "Header fields" }), make("pre", { textContent: fields }));
    await showBody(response, options, box, stop);
  } catch (error) {
    if (!stop.signal.aborted) box.append(make("p", { textContent: String(error) }));
  } finally {
    stopButton.hidden = true;
    button.disabled = false;
  }
  await tellSession();
}

async function tellSession() {
  const { state, user_id: user } = await (await fetch(new URL("session", root))).json();
  session.textContent = `This browser: ${state.replaceAll("_", " ")}${user === null ? "" : `, user ${user}`}`;
}

async function post(path, body) {
  const headers = { "Content-Type": "application/json" };
  const response = await fetch(new URL(path, root), { method: "POST", headers, body: JSON.stringify(body) });
  if (!response.ok) throw new Error((await response.json()).error);
}

async function signIn({ phone, code }) {
  try {
    await post("send-code", { phone });
    await post("sign-in", { phone, code });
    await tellSession();
  } catch (error) {
    session.textContent = error.message;
  }
}

function openTarget() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (target instanceof HTMLDetailsElement) target.open = true;
}

for (const form of document.forms) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    form.id === "example" ? signIn(form.dataset) : send(form);
  });
}
addEventListener("hashchange", openTarget);
openTarget();
tellSession();
