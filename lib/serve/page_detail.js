/*
 * A span whole, beside the timeline.
 */
const SHOWN_CHARS = 20000; /* of a value; all of it is in the JSON */

function valueOf(text) {
	const cut = text.length > SHOWN_CHARS;
	return make('dd', '', cut ? text.slice(0, SHOWN_CHARS) : text,
		cut ? make('em', 'quiet', ` \u2026 ${(text.length - SHOWN_CHARS).toLocaleString('en')} more characters`) : null);
}

/* Only addresses of the web are links; what runs script is text. */
function linked(text) {
	return /^https?:\/\/[^\s<>"']{1,2000}$/.test(text) ?
		make('dd', '', make('a', {href: text, rel: 'noopener noreferrer', target: '_blank'}, text)) : valueOf(text);
}

const pairs = tags => make('dl', '', tags.flatMap(t => [make('dt', {title: t.type ? brief(t.type, 20) : null}, t.key), linked(t.value)]));

function group(title, open, ...inside) {
	return make('details', {open}, make('summary', '', title), ...inside);
}

function facts(s, trace, go) {
	const dl = make('dl'), rows = trace.rows;
	const add = (key, ...value) => dl.append(make('dt', '', key), make('dd', '', ...value));
	add('span', s.id);
	if (s.up)
		add('parent', s.parent < 0 ? s.up : button(rows[s.parent].id, () => go(s.parent), {class: 'link', title: 'Go there'}));
	if (s.kind)
		add('kind', s.kind);
	add('start', `${offset((s.start - trace.start) * 1000)} (${moment(s.start, 6)} ${zone(s.start)})`);
	add('duration', `${lasted(s.duration)}, of these itself ${lasted(s.self)}`);
	if (s.end > s.row + 1)
		add('below', `${plural(s.end - s.row - 1, 'span')}, ${s.kids.length} of them its children`);
	return dl;
}

function references(s, trace, go) {
	const all = objects(s.json.references);
	return make('ul', '', all.map(r => {
		const there = shortId(r.traceID) === shortId(trace.id) ? trace.rows.find(o => o.key === shortId(r.spanID)) : null;
		return make('li', '', `${r.refType} `, there ? button(`${brief(there.service, 60)}: ${brief(there.name, 60)}`, () => go(there.row), {class: 'link'}) :
			shortId(r.traceID) === shortId(trace.id) ? `span ${r.spanID}, which is not here` :
				traceLink(String(r.traceID), [['uiFind', String(r.spanID)]], null, `trace ${r.traceID} span ${r.spanID}`));
	}));
}

function logs(s, trace) {
	return s.logs.slice(0, 500).map(l => {
		const event = l.fields.find(f => f.key === 'event');
		const rest = l.fields.filter(f => f !== event);
		return group(`${offset((l.at - trace.start) * 1000)}  ${event ? brief(event.value, 100) : ''}`, s.logs.length < 20, rest.length || !event ? pairs(rest) : null);
	});
}

function detail(s, trace, {go, shut}) {
	const refs = list(s.json.references);
	const copyJson = button('Copy JSON', e => copy(JSON.stringify(s.json, null, 2), e.target));
	const copyId = button('Copy id', e => copy(s.id, e.target));
	const at = new URL(address('trace/' + encodeURIComponent(trace.id), [['uiFind', s.id]]), ROOT);
	const copyLink = button('Copy link', e => copy(at.href, e.target), {title: 'The address of this span'});
	return [
		make('div', 'tools', copyLink, copyId, copyJson, button('\u2715', shut, {title: 'Close (Escape)', 'aria-label': 'Close', class: 'close'})),
		make('h2', '', ...serviceName(s.service), make('span', '', s.name.slice(0, 2000)), marks(s)),
		facts(s, trace, go),
		s.warnings.length ? group(`Warnings (${s.warnings.length})`, true, make('ul', 'warnings', s.warnings.map(w => make('li', '', '! ' + w)))) : null,
		group(`Tags (${s.tags.length})`, true, pairs(s.tags)),
		s.logs.length ? group(`Logs (${s.logs.length})`, true, ...logs(s, trace)) : null,
		refs.length ? group(`References (${refs.length})`, refs.length > 1, references(s, trace, go)) : null,
		group(`Process (${s.process.tags.length})`, s.tags.length < 10, pairs(s.process.tags)),
	].filter(e => e);
}
