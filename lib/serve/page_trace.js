/*
 * One trace: its facts, what is found in it, the timeline, a span beside it.
 */
async function traceOf(id) {
	if (uploaded.has(id))
		return uploaded.get(id);
	if (!/^[0-9a-f]{1,32}$/i.test(id))
		throw fault(`${brief(id)} is no id of a trace, which has 1 to 32 hex digits`, 400);
	const all = await data('api/traces/' + encodeURIComponent(id));
	if (!all.length || !list(all[0].spans).length)
		throw fault('trace not found', 404);
	return all[0];
}

const separate = () => make('span', 'quiet', ' \u00b7 ');

function traceFacts(trace) {
	const parts = [make('code', '', trace.id), `${moment(trace.start)} ${zone(trace.start)}`, make('b', '', lasted(trace.duration)), plural(trace.rows.length, 'span'),
		`${plural(trace.depth, 'level')}`, trace.errors ? make('b', 'error', `\u2717 ${plural(trace.errors, 'error')}`) : null,
		trace.n_warnings ? `! ${plural(trace.n_warnings, 'warning')}` : null].filter(p => p);
	return make('p', {class: 'facts', tabindex: 0}, parts.flatMap((p, i) => i ? [separate(), p] : [p]), separate(), serviceCounts(trace.services));
}

/* Where the time went, by service and operation. */
function pathText(trace, path) {
	const sums = new Map();
	let all = 0;
	for (const [row, parts] of path) {
		const s = trace.rows[row], key = `${brief(s.service, 40)}: ${brief(s.name, 60)}`;
		const us = parts.reduce((n, [from, to]) => n + to - from, 0);
		sums.set(key, (sums.get(key) || 0) + us);
		all += us;
	}
	return [...sums].sort((a, b) => b[1] - a[1]).slice(0, 4).map(([what, us]) => `${what} ${lasted(us)} (${percent(us / (all || 1))})`).join(', ');
}

async function showTrace(params, [, ids]) {
	const all = ids.split('...').map(part => {
		try {
			return decodeURIComponent(part);
		} catch (e) {
			return part;
		}
	});
	if (all.length > 1)
		return showCompare(all[0], all[1]);
	const id = all[0];
	show(id, waiting('Loading\u2026'));
	command('trace-view', '-s', STORE, '--trace-id', id);
	const trace = readTrace(await traceOf(id));
	tellApart(trace.services.keys());
	new TracePage(trace, params.get('uiFind') || '');
}

class TracePage {
	constructor(trace, find) {
		this.trace = trace;
		this.path = criticalPath(trace);
		this.aside = make('aside', {hidden: true, 'aria-label': 'Span', tabindex: -1});
		this.timeline = new Timeline(trace, what => this.changed(what));
		this.timeline.path = this.path;
		this.map = new Minimap(this.timeline);
		this.findBox = inputFor('find', '', {placeholder: 'Find: words, "a phrase", key=value, -key', type: 'search', 'aria-label': 'Find in this trace', id: 'find'});
		this.count = make('span', {class: 'quiet count', role: 'status', id: 'found'});
		this.pathBox = make('input', {type: 'checkbox', id: 'critical', checked: true, onchange: () => this.togglePath()});
		this.pathLine = make('p', {class: 'quiet', id: 'path-line'}, 'Critical path: ' + pathText(trace, this.path));
		this.both = make('div', 'both', make('div', 'rows', this.timeline.axis, this.timeline.list), this.aside);
		this.stats = make('div', {class: 'counted', hidden: true, tabindex: 0, role: 'region', 'aria-label': 'Statistics'});
		show(`${trace.service}: ${trace.name}`, make('div', 'trace', this.head(), this.map.box, this.both, this.stats));
		this.setKeys();
		this.map.draw();
		page.resize = () => {
			this.map.draw();
			this.timeline.drawSoon();
		};
		this.findBox.addEventListener('input', () => this.find());
		if (find) {
			this.findBox.value = find;
			this.find();
		}
		this.takePlace(find);
		this.tell();
		page.place = () => ({span: trace.rows[this.timeline.chosen].key, open: !this.aside.hidden, stats: !this.stats.hidden, part: [this.timeline.from, this.timeline.to], rows: this.both.hidden ? this.rowsAt : this.timeline.list.scrollTop});
		this.timeline.list.focus({preventScroll: true});
	}

	/* Where one was before, or what the address looks for: a span of that id whole. */
	takePlace(find) {
		const {was} = page, {timeline, trace: {rows}} = this, at = was.span ? rows.findIndex(s => s.key === was.span) : -1;
		if (at >= 0) {
			timeline.look(...was.part || [0, 1]);
			timeline.choose(at);
			timeline.list.scrollTop = was.rows;
		} else if (find) {
			this.nextHit(1);
		}
		if (at >= 0 ? was.open : timeline.hits.size === 1 && rows[timeline.chosen].key === shortId(find))
			this.open();
		if (was.stats)
			this.showStats(true);
	}

	/* In the place of the timeline. */
	showStats(yes) {
		const {stats, both, timeline} = this;
		if (yes && !stats.firstChild)
			stats.append(statsTable(this.trace, this.path, (fits, row) => {
				this.findBox.value = '';
				this.showStats(false);
				this.find(fits);
				timeline.choose(row);
			}));
		if (yes)
			this.rowsAt = timeline.list.scrollTop;
		stats.hidden = !yes;
		both.hidden = this.map.box.hidden = yes;
		if (!yes)
			timeline.list.scrollTop = this.rowsAt;
		this.statsButton.setAttribute('aria-pressed', yes);
		page.keys = yes ? {v: this.keys.v, c: this.keys.c, '/': this.keys['/'], Escape: this.keys.v, into: this.keys.into} : this.keys;
		this.tell();
		moved();
		if (!yes)
			timeline.drawSoon();
		(yes ? stats : timeline.list).focus({preventScroll: true});
	}

	head() {
		const {trace, timeline} = this;
		this.statsButton = button('Statistics', () => this.showStats(this.stats.hidden), {'aria-pressed': 'false', title: 'By service and operation (v)'});
		return make('div', 'head',
			make('h1', '', ...serviceName(trace.service), make('span', '', brief(trace.name, 400))),
			traceFacts(trace),
			trace.warnings.map(w => make('p', 'warnings', '! ' + w)),
			this.pathLine,
			make('div', 'tools', this.findBox, this.count,
				button('\u2191', () => this.nextHit(-1), {title: 'Found before (N)', 'aria-label': 'Found before'}),
				button('\u2193', () => this.nextHit(1), {title: 'Found next (n)', 'aria-label': 'Found next'}),
				make('label', '', this.pathBox, ' Critical path'), this.statsButton,
				button('Fold all', () => timeline.foldAll(true)), button('Unfold all', () => timeline.foldAll(false)),
				button('Copy id', e => copy(trace.id, e.target)),
				button('Copy JSON', e => copy(JSON.stringify({data: [trace.json]}), e.target)),
				button('Save JSON', () => download(trace.id + '.json', 'application/json', JSON.stringify({data: [trace.json]}))),
				this.compareForm()));
	}

	compareForm() {
		const other = inputFor('other', '', {placeholder: 'Compare with id', 'aria-label': 'Compare with the trace of this id', class: 'code short'});
		return make('form', {onsubmit: e => {
			e.preventDefault();
			if (other.value.trim())
				go(address(`trace/${encodeURIComponent(this.trace.id)}...${encodeURIComponent(other.value.trim())}`));
		}}, other);
	}

	changed(what) {
		if (!this.map)
			return;
		moved();
		if (what === 'rows')
			this.map.draw();
		else if (what === 'scroll' || what === 'part')
			this.map.mark();
		else if (what === 'open' || what === 'row' && !this.aside.hidden)
			this.open();
	}

	open() {
		const s = this.trace.rows[this.timeline.chosen];
		const opened = this.aside.hidden;
		this.aside.hidden = false;
		this.aside.replaceChildren(...detail(s, this.trace, {go: i => this.timeline.choose(i), shut: () => this.shut()}));
		this.aside.scrollTop = 0;
		if (opened) { /* The timeline has become narrower. */
			this.map.draw();
			this.timeline.drawSoon();
		}
	}

	shut() {
		this.aside.hidden = true;
		this.timeline.drawSoon();
		this.timeline.list.focus({preventScroll: true});
	}

	togglePath() {
		this.timeline.path = this.pathBox.checked ? this.path : null;
		this.pathLine.hidden = !this.pathBox.checked;
		this.tell();
		this.timeline.drawSoon();
	}

	tell() {
		const text = this.findBox.value.trim();
		if (uploaded.has(this.trace.id))
			command(['span-decode'], 'traces.json', ['|', 'trace-view'], '--trace-id', this.trace.id);
		else if (!this.stats.hidden)
			command('span-query', '-s', STORE, '--spans', '--trace-id', this.trace.id, ['|', 'span-stats', '--all-kinds', '--by', 'service,operation']);
		else
			command('trace-view', '-s', STORE, '--trace-id', this.trace.id, ...this.pathBox.checked ? [] : ['--no-critical'],
			...text ? ['--find', text] : []);
	}

	/* ---- Finding ---- */

	find(fits = finder(this.findBox.value.trim())) {
		const text = this.findBox.value.trim(), {timeline} = this;
		timeline.hits = new Set(fits ? this.trace.rows.filter(fits).map(s => s.row) : []);
		this.count.textContent = fits ? plural(timeline.hits.size, 'span') : '';
		history.replaceState(history.state, '', address('trace/' + encodeURIComponent(this.trace.id), [['uiFind', text]]));
		this.tell();
		timeline.drawSoon();
	}

	nextHit(by) {
		const {timeline} = this, hits = [...timeline.hits];
		if (!hits.length)
			return;
		if (!this.stats.hidden)
			this.showStats(false);
		let at = by > 0 ? hits.findIndex(i => i > timeline.chosen) : hits.findLastIndex(i => i < timeline.chosen);
		if (timeline.hits.has(0) && timeline.chosen === 0 && this.firstOf !== timeline.hits)
			at = by > 0 ? 0 : at;
		this.firstOf = timeline.hits;
		if (at < 0)
			at = by > 0 ? 0 : hits.length - 1;
		timeline.choose(hits[at]);
		this.count.textContent = `${at + 1} of ${hits.length}`;
	}

	setKeys() {
		const t = this.timeline;
		const toggle = () => this.aside.hidden ? this.open() : this.shut();
		page.keys = this.keys = {
			ArrowDown: () => t.move(1), ArrowUp: () => t.move(-1), ArrowLeft: () => t.left(), ArrowRight: () => t.right(),
			f: () => t.hits.size ? this.nextHit(1) : t.move(1), b: () => t.hits.size ? this.nextHit(-1) : t.move(-1),
			s: () => t.page(1), w: () => t.page(-1), PageDown: () => t.page(1), PageUp: () => t.page(-1),
			Home: () => t.choose(t.shown[0]), End: () => t.choose(t.shown[t.shown.length - 1]),
			a: () => t.pan(-0.1), d: () => t.pan(0.1), A: () => t.pan(-0.5), D: () => t.pan(0.5),
			'+': () => t.zoom(0.7), '=': () => t.zoom(0.7), '-': () => t.zoom(1 / 0.7), 0: () => t.look(0, 1),
			'[': () => t.foldAll(false), ']': () => t.foldAll(true), o: () => t.foldLevel(1), p: () => t.foldLevel(-1),
			n: () => this.nextHit(1), N: () => this.nextHit(-1), c: () => this.pathBox.click(), v: () => this.statsButton.click(),
			Enter: toggle, ' ': toggle, '/': () => this.findBox.select(),
			Escape: () => {
				if (document.activeElement === this.findBox)
					t.list.focus();
				else
					this.shut();
			},
			into: {find: {Enter: e => this.enter(e.shiftKey ? -1 : 1)}},
		};
	}

	enter(by) {
		this.nextHit(by);
		this.timeline.list.focus({preventScroll: true});
	}
}
