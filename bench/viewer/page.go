package main

// What is run in pages to watch them.

// sampler takes frames for so many milliseconds, and at the end how old the
// newest line on screen is.
const sampler = `async ms => {
	const frames = [], begin = performance.now();
	await new Promise(done => {
		let last = begin;
		const frame = now => {
			frames.push(now - last);
			last = now;
			if (now - begin < ms) requestAnimationFrame(frame); else done();
		};
		requestAnimationFrame(frame);
	});
	const took = frames.slice(1).sort((a, b) => a - b);
	const shown = [...document.querySelectorAll(".row time, .naive")].at(-1);
	const time = shown?.dateTime ?? shown?.textContent.match(/"time":"([^"]+)"/)?.[1];
	return {FPS: 1000 / took[took.length >> 1], P95: took[Math.floor(took.length * 0.95)], Lag: time ? Date.now() - Date.parse(time) : 0};
}`

// notice keeps when the first line was on screen: at the frame behind the one that
// drew it. It runs before the page does, and asks for no frame until then: a page
// that is asked for frames all the time takes longer.
const notice = `window.firstLine = new Promise(done => {
	const observer = new MutationObserver(() => {
		if (!document.querySelector(".row .msg")?.textContent) return;
		observer.disconnect();
		requestAnimationFrame(() => done(performance.now()));
	});
	observer.observe(document, {subtree: true, childList: true, characterData: true});
})`

const firstLine = `window.firstLine`

// full waits until the page holds all it can.
const full = `new Promise(done => {
	const look = () => { if (document.querySelector("meter").value >= 100000) done(true); else setTimeout(look, 50); };
	look();
})`

// handling jumps in the rows and narrows them.
const handling = `(async () => {
	const drawn = () => new Promise(done => requestAnimationFrame(() => { const c = new MessageChannel(); c.port1.onmessage = done; c.port2.postMessage(0); }));
	const list = document.querySelector("#list"), jumps = [];
	for (let i = 0; i < 40; i++) {
		const begin = performance.now();
		list.scrollTop = list.scrollHeight * ((i * 37) % 100) / 100;
		await drawn();
		jumps.push(performance.now() - begin);
	}
	jumps.sort((a, b) => a - b);
	const box = document.querySelector("#text"), narrows = [];
	for (const text of ["request 1", "request 12", "nowhere", ""]) {
		box.value = text;
		const begin = performance.now();
		box.dispatchEvent(new Event("input"));
		await drawn();
		narrows.push(performance.now() - begin);
	}
	const rows = Number(document.querySelector("meter").value);
	return {Rows: rows, Jump: jumps[Math.floor(jumps.length * 0.95)], Narrow: Math.max(...narrows)};
})()`

// naiveViewer is what most examples do.
const naiveViewer = `(() => {
	document.body.textContent = "";
	new EventSource("/stream").onmessage = e => {
		const line = document.createElement("div");
		line.className = "naive";
		line.textContent = e.data;
		document.body.append(line);
		scrollTo(0, document.body.scrollHeight);
	};
})()`
