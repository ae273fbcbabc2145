const Panel = { draw() {}, clear(host) { host.replaceChildren(); } };
