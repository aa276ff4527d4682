/*
 * The spans of a trace as rows over time. Only rows in sight are elements, so
 * that traces of any size scroll.
 */
const ROW = 26, LEVELS = 24, INDENT = 14;

class Timeline {
	constructor(trace, onchange) {
		this.trace = trace;
		this.onchange = onchange; /* the part in sight, a row or the rows changed */
		this.folded = new Set();
		this.hits = new Set();
		this.chosen = 0;
		this.from = 0; /* the part of time in sight, of the trace's duration */
		this.to = 1;
		this.path = null;
		this.space = make('div', 'space');
		this.list = make('div', {class: 'list', role: 'treegrid', tabindex: 0, 'aria-label': 'Spans', 'aria-rowcount': trace.rows.length}, this.space);
		this.ticks = make('div', 'ticks');
		this.axis = make('div', 'axis', make('span', '', 'Service and operation'), make('span', 'duration', 'Duration'), this.ticks);
		this.drawn = new Map(); /* rows that are elements, as long as they stay as they are */
		this.list.addEventListener('scroll', () => this.drawSoon(true));
		this.list.addEventListener('click', e => this.click(e));
		this.lay();
	}

	/* ---- What there is ---- */

	lay() {
		const {rows} = this.trace;
		this.shown = [];
		this.place = new Int32Array(rows.length).fill(-1);
		for (let i = 0; i < rows.length;) {
			this.place[i] = this.shown.length;
			this.shown.push(i);
			i = this.folded.has(i) ? rows[i].end : i + 1;
		}
		this.space.style.height = this.shown.length * ROW + 'px';
		this.drawSoon();
		this.onchange('rows');
	}

	/* With SAME rows that are there already can stay. */
	drawSoon(same) {
		if (!same)
			this.drawn.clear();
		if (this.waits)
			return;
		this.waits = true;
		requestAnimationFrame(() => {
			this.waits = false;
			this.draw();
		});
	}

	draw() {
		const {list, shown, drawn} = this, fresh = !drawn.size;
		const top = this.top = list.scrollTop, height = this.height = list.clientHeight;
		const first = Math.max(0, Math.floor(top / ROW) - 8);
		const last = Math.min(shown.length, first + Math.ceil(height / ROW) + 16);
		if (fresh)
			this.levels = Math.min(LEVELS, Math.max(2, Math.floor(this.axis.firstChild.clientWidth / 3 / INDENT)));
		this.drawn = new Map(shown.slice(first, last).map(i => [i, drawn.get(i) || this.row(i)]));
		for (const [i, e] of drawn)
			if (!this.drawn.has(i))
				e.remove();
		if (fresh)
			this.space.replaceChildren(...this.drawn.values());
		else
			this.space.append(...[...this.drawn].filter(([i]) => !drawn.has(i)).map(([, e]) => e));
		list.setAttribute('aria-activedescendant', 'row' + this.chosen);
		if (fresh)
			this.drawTicks();
		this.onchange('scroll');
	}

	/* Marks at round times, and lines below them through all rows. */
	drawTicks() {
		const ns = this.trace.duration * 1000 || 1, {list, axis, ticks} = this, part = (this.to - this.from) * ns;
		axis.style.width = list.clientWidth + 'px'; /* without what scrolls */
		const {step, all} = marksOf(this.from * ns, this.to * ns, Math.max(2, Math.min(10, Math.floor(ticks.clientWidth / 75))));
		const at = mark => (mark - this.from * ns) / part * 100 + '%';
		ticks.replaceChildren(...all.map(mark => {
			const tick = make('span', '', markText(mark, step));
			tick.style.left = at(mark);
			return tick;
		}));
		for (const tick of ticks.children) /* 100ms that is cut off would be 100m. */
			if (tick.offsetLeft + tick.offsetWidth > ticks.clientWidth)
				tick.textContent = '';
		list.style.setProperty('--first', all.length ? at(all[0]) : '0%');
		list.style.setProperty('--step', step / part * 100 + '%');
	}

	/* ---- A row ---- */

	row(i) {
		const s = this.trace.rows[i], below = s.end > i + 1;
		const e = make('div', {class: 'row', id: 'row' + i, role: 'row', 'aria-level': s.depth + 1, 'aria-rowindex': i + 1,
			'aria-selected': String(i === this.chosen), 'aria-expanded': below ? String(!this.folded.has(i)) : null, 'data-row': i},
		this.nameOf(s, i, below), make('div', {class: 'duration', role: 'gridcell'}, lasted(s.duration)), this.bars(s, i));
		e.style.top = this.place[i] * ROW + 'px';
		e.classList.toggle('chosen', i === this.chosen);
		e.classList.toggle('found', this.hits.has(i));
		e.classList.toggle('failed', s.error);
		return e;
	}

	nameOf(s, i, below) {
		const guide = make('i', 'guide');
		guide.style.width = Math.min(s.depth, this.levels) * INDENT + 'px';
		return make('div', {class: 'name', role: 'gridcell'}, guide,
			s.depth > this.levels ? make('span', 'deep', '\u22ef ' + s.depth) : null,
			make('span', {class: 'fold', 'data-fold': i}, !below ? '' : this.folded.has(i) ? '\u25b8' : '\u25be'),
			...serviceName(s.service), marks(s),
			make('span', {class: 'operation', title: brief(s.name, 1000)}, brief(s.name)),
			this.folded.has(i) ? make('span', 'more', '+' + (s.end - i - 1).toLocaleString('en')) : null);
	}

	/* Microseconds since the trace began as percent of what is in sight. */
	percent(us) {
		return 100 * (us / (this.trace.duration || 1) - this.from) / (this.to - this.from);
	}

	part(kind, from, to) {
		const left = Math.max(-1, this.percent(from)), right = Math.min(101, this.percent(to));
		if (right < 0 || left > 100)
			return null;
		const e = make('i', kind);
		e.style.left = kind[0] === 'b' ? `min(${left}%, 100% - 2px)` : left + '%';
		e.style.width = Math.max(0, right - left) + '%';
		return e;
	}

	bars(s, i) {
		const at = s.start - this.trace.start;
		const e = make('div', {class: 'bars', role: 'gridcell'}, this.part('bar s' + colourOf(s.service), at, at + s.duration));
		for (const [from, to] of (this.path && this.path.get(i) || []).slice(0, 200))
			e.append(this.part('path', from - this.trace.start, to - this.trace.start) || '');
		for (const log of s.logs.slice(0, 50)) {
			const mark = this.part('log', log.at - this.trace.start, log.at - this.trace.start);
			if (mark)
				e.append(into(mark, {title: brief((log.fields.find(f => f.key === 'event') || log.fields[0] || {value: ''}).value, 100)}, []));
		}
		return e;
	}

	/* ---- Moving ---- */

	show(i) {
		const {list} = this, top = this.place[i] * ROW, at = list.scrollTop, height = list.clientHeight;
		if (top < at)
			list.scrollTop = top;
		else if (top + ROW > at + height)
			list.scrollTop = top + ROW - height;
		this.drawSoon();
	}

	choose(i) {
		if (i === undefined || i < 0)
			return;
		this.reveal(i);
		this.chosen = i;
		this.show(i);
		this.onchange('row');
	}

	move(by) {
		this.choose(this.shown[Math.max(0, Math.min(this.shown.length - 1, this.place[this.chosen] + by))]);
	}

	page(by) {
		this.move(by * Math.max(1, Math.floor(this.list.clientHeight / ROW) - 1));
	}

	/* Unfold what hides row I. */
	reveal(i) {
		const {rows} = this.trace;
		let changed = false;
		for (let up = rows[i].parent; up >= 0; up = rows[up].parent)
			changed = this.folded.delete(up) || changed;
		if (changed)
			this.lay();
	}

	fold(i, yes) {
		if (this.trace.rows[i].end === i + 1 || this.folded.has(i) === yes)
			return false;
		if (yes)
			this.folded.add(i);
		else
			this.folded.delete(i);
		this.lay();
		return true;
	}

	foldAll(yes) {
		const {rows} = this.trace;
		this.folded = new Set(yes ? rows.filter(s => s.end > s.row + 1).map(s => s.row) : []);
		while (yes && rows[this.chosen].parent >= 0)
			this.chosen = rows[this.chosen].parent;
		this.lay();
		this.show(this.chosen);
	}

	/* One level less, or more, of what is unfolded. */
	foldLevel(by) {
		const open = this.shown.filter(i => this.trace.rows[i].end > i + 1 && !this.folded.has(i));
		const level = by < 0 ? Math.max(-1, ...open.map(i => this.trace.rows[i].depth)) : 0;
		for (const i of by < 0 ? open.filter(i => this.trace.rows[i].depth === level) : [...this.folded].filter(i => this.place[i] >= 0))
			if (by < 0)
				this.folded.add(i);
			else
				this.folded.delete(i);
		this.lay();
		while (this.place[this.chosen] < 0)
			this.chosen = this.trace.rows[this.chosen].parent;
		this.show(this.chosen);
	}

	left() {
		if (!this.fold(this.chosen, true))
			this.choose(this.trace.rows[this.chosen].parent);
	}

	right() {
		if (!this.fold(this.chosen, false) && this.trace.rows[this.chosen].end > this.chosen + 1)
			this.choose(this.chosen + 1);
	}

	look(from, to) {
		const part = Math.min(1, Math.max(to - from, 1e-6));
		this.from = Math.max(0, Math.min(1 - part, from));
		this.to = this.from + part;
		this.drawSoon();
		this.onchange('part');
	}

	pan(by) {
		const part = (this.to - this.from) * by;
		this.look(this.from + part, this.to + part);
	}

	zoom(by) {
		const middle = (this.from + this.to) / 2, half = (this.to - this.from) / 2 * by;
		this.look(middle - half, middle + half);
	}

	click(e) {
		const toggle = e.target.closest('[data-fold]'), row = e.target.closest('[data-row]');
		if (toggle && toggle.textContent)
			this.fold(+toggle.dataset.fold, !this.folded.has(+toggle.dataset.fold));
		else if (row) {
			this.choose(+row.dataset.row);
			this.onchange('open');
		}
	}
}

function marks(s) {
	const e = make('span', 'marks');
	for (const [yes, mark, why] of [[s.error, '\u2717', 'failed'], [s.orphan, '?', 'its parent is not here'],
		[s.cycle, '@', 'a circle of parents was cut here'], [s.follows, '\u2504', 'follows from its parent'],
		[s.warnings.length, '!', 'has warnings']])
		if (yes)
			e.append(make('span', {class: mark === '\u2717' ? 'mark' : 'mark quiet', title: why, role: 'img', 'aria-label': why}, mark));
	return e.firstChild ? e : null;
}
