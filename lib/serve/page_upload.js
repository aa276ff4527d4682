/*
 * Traces from a file, which stay in this page: Jaeger's JSON, Zipkin's, and
 * OTLP's, which the server turns into Jaeger's.
 */
const PART = 8e6; /* characters, of a request */
const isOtlp = o => o && typeof o === 'object' && Array.isArray(o.resourceSpans);
const isZipkin = o => o && typeof o === 'object' && typeof o.traceId === 'string' && typeof o.id === 'string';
const isJaeger = o => o && typeof o === 'object' && Array.isArray(o.spans);

/* One value, or a line each. */
function readJson(text) {
	try {
		return [JSON.parse(text)];
	} catch (first) {
		try {
			return text.split('\n').filter(l => l.trim()).map(l => JSON.parse(l));
		} catch (e) {
			throw new Error(`this is no JSON: ${first.message}`);
		}
	}
}

/* OTLP is turned into Jaeger's in parts that the server takes. */
async function transformed(resources) {
	const parts = [];
	let room = 0;
	for (const r of resources) {
		const json = JSON.stringify(r);
		if (json.length > room) {
			parts.push([]);
			room = PART;
		}
		parts[parts.length - 1].push(json);
		room -= json.length;
	}
	const all = [];
	for (const part of parts)
		all.push(...await data('api/transform', [], {method: 'POST', headers: {'Content-Type': 'application/json'},
			body: `{"resourceSpans":[${part}]}`}));
	return all;
}

/* Parts of one trace are one; what is in two of them is there once. */
function joined(traces) {
	const all = new Map(), had = new Map(), same = s => JSON.stringify({...s, processID: ''});
	traces.forEach((t, i) => {
		const to = all.get(t.traceID);
		if (!to) {
			all.set(t.traceID, t);
			return;
		}
		if (!had.has(to))
			had.set(to, new Set(objects(to.spans).map(same)));
		to.processes = {...to.processes};
		for (const [id, process] of Object.entries(t.processes || {}))
			to.processes[`${i}:${id}`] = process;
		const more = objects(t.spans).filter(s => !had.get(to).has(same(s)));
		more.forEach(s => had.get(to).add(same(s)));
		to.spans = to.spans.concat(more.map(s => ({...s, processID: `${i}:${s.processID}`})));
	});
	return [...all.values()];
}

async function readTraces(text) {
	const all = readJson(text).flatMap(v => v && Array.isArray(v.data) ? v.data : v).flat();
	const otlp = all.filter(isOtlp), traces = all.filter(o => isJaeger(o) && !isOtlp(o)), zipkin = all.filter(isZipkin);
	if (otlp.length)
		traces.push(...await transformed(otlp.flatMap(o => o.resourceSpans)));
	traces.push(...fromZipkin(zipkin));
	const good = traces.map(idOf).filter(t => t && t.spans.length);
	if (!good.length)
		throw new Error('there is no trace in it: neither Jaeger, OTLP nor Zipkin JSON');
	return {traces: good, left: all.length - otlp.length - zipkin.length - all.filter(o => isJaeger(o) && !isOtlp(o)).length};
}

function idOf(trace) {
	const spans = objects(trace.spans), id = trace.traceID || spans.length && spans[0].traceID;
	return id ? {...trace, spans, traceID: String(id)} : null;
}

/* ---- Zipkin ---- */

function zipkinProcess(s) {
	const at = s.localEndpoint || {}, tags = [];
	for (const [key, value] of [['ip', at.ipv4 || at.ipv6], ['port', at.port]])
		if (value !== undefined)
			tags.push({key, type: typeof value === 'number' ? 'int64' : 'string', value});
	return {serviceName: String(at.serviceName || 'unknown-service'), tags};
}

function zipkinTags(s) {
	const to = s.remoteEndpoint || {}, tags = Object.entries(s.tags || {}).map(([key, value]) =>
		key === 'error' && value !== 'false' ? [{key, type: 'bool', value: true}, ...value && value !== 'true' ? [{key: 'error.message', type: 'string', value: String(value)}] : []] :
			[{key, type: 'string', value: String(value)}]).flat();
	if (s.kind)
		tags.push({key: 'span.kind', type: 'string', value: String(s.kind).toLowerCase()});
	for (const [key, value] of [['peer.service', to.serviceName], ['peer.ipv4', to.ipv4], ['peer.ipv6', to.ipv6], ['peer.port', to.port]])
		if (value !== undefined)
			tags.push({key, type: 'string', value: String(value)});
	return tags;
}

/* A server that shares the id of its client gets one of its own, and the children. */
function fromZipkin(spans) {
	const traces = new Map();
	for (const s of spans) {
		if (!traces.has(s.traceId))
			traces.set(s.traceId, []);
		traces.get(s.traceId).push(s);
	}
	return [...traces].map(([traceID, all]) => {
		const clients = new Set(all.filter(s => s.kind === 'CLIENT').map(s => s.id));
		const servers = new Set(all.filter(s => s.kind === 'SERVER' && clients.has(s.id)).map(s => s.id));
		const own = s => servers.has(s.id) && s.kind === 'SERVER' ? s.id + '-server' : s.id;
		const up = s => servers.has(s.id) && s.kind === 'SERVER' ? s.id : servers.has(s.parentId) ? s.parentId + '-server' : s.parentId;
		const processes = {};
		return {traceID, processes, spans: all.map((s, i) => {
			processes['p' + i] = zipkinProcess(s);
			return {traceID, spanID: own(s), operationName: String(s.name || ''), startTime: number(s.timestamp), duration: number(s.duration),
				references: up(s) ? [{refType: 'CHILD_OF', traceID, spanID: up(s)}] : [], tags: zipkinTags(s), processID: 'p' + i, warnings: null,
				logs: list(s.annotations).map(a => ({timestamp: a.timestamp, fields: [{key: 'event', type: 'string', value: String(a.value)}]}))};
		})};
	});
}

/* ---- The view ---- */

async function takeUpload(texts, results) {
	results.replaceChildren(waiting('Reading\u2026'));
	const found = [], problems = [];
	for (const [name, text] of texts)
		try {
			const {traces, left} = await readTraces(text);
			found.push(...traces);
			if (left)
				problems.push(`${name}: ${plural(left, 'value')} that are no traces were left out`);
		} catch (e) {
			problems.push(`${name}: ${e.message}`);
		}
	const read = joined(found); /* once: the names of processes are made of where they are */
	for (const t of read)
		uploaded.set(t.traceID, t);
	say(plural(read.length, 'trace') + ' read');
	showUploaded(results);
	results.prepend(...problems.map(p => trouble(p)));
}

function showUploaded(results) {
	if (!uploaded.size)
		return results.replaceChildren();
	const marked = showResults(results, [...uploaded.values()].map(summary), 'from files, in this page only: they are gone when it is loaded again');
	page.place = () => ({marked: [...marked]});
}

function showUpload() {
	const results = make('section', {id: 'results', 'aria-label': 'Traces'});
	const file = make('input', {type: 'file', multiple: true, accept: '.json,.jsonl,.ndjson,application/json', id: 'file', 'aria-label': 'Files'});
	const text = make('textarea', {rows: 4, placeholder: '\u2026 or paste JSON here', 'aria-label': 'JSON', class: 'code', spellcheck: 'false'});
	const takeFiles = async files => takeUpload(await Promise.all([...files].map(async f => [f.name, await f.text()])), results);
	const zone = make('div', {class: 'drop', ondragover: e => e.preventDefault(), ondrop: e => {
		e.preventDefault();
		takeFiles(e.dataTransfer.files);
	}}, make('p', '', 'Drop files here, or choose them: '), file, text, make('div', 'buttons', button('Show what is pasted', () => takeUpload([['what is pasted', text.value]], results))));
	file.addEventListener('change', () => takeFiles(file.files));
	show('Upload', make('div', 'plain', make('h1', '', 'Upload'),
		make('p', 'quiet', 'Traces as JSON of Jaeger ({"data": [...]}), of OTLP ({"resourceSpans": [...]}, or a line each) or of Zipkin. They are shown, not stored.'), zone, results));
	command(['span-decode'], 'traces.json', ['|', 'trace-view']);
	showUploaded(results);
}
