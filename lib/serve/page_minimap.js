/*
 * The whole trace, small: its spans as lines, the rows and the part of time in
 * sight. Dragging chooses a part of time, a double click all of it.
 */
const PALETTE = ['#0087ff', '#00afaf', '#5f8700', '#5faf5f', '#875faf', '#875fd7', '#875fff', '#af5f00', '#af5faf', '#af8700', '#d75f00', '#d78700'];
const MAP_HEIGHT = 64;

class Minimap {
	constructor(timeline) {
		this.timeline = timeline;
		this.canvas = make('canvas', {'aria-hidden': 'true'});
		this.part = make('div', 'part');
		this.rows = make('div', 'in-sight');
		this.box = make('div', {class: 'minimap', title: 'Drag to look at a part, double click for all'}, this.canvas, this.rows, this.part);
		this.box.addEventListener('pointerdown', e => this.drag(e));
		this.box.addEventListener('dblclick', () => timeline.look(0, 1));
	}

	/* Once it has a size, and when that or the rows change. */
	draw() {
		const {canvas, timeline} = this, {trace, shown} = timeline, scale = devicePixelRatio || 1;
		const width = canvas.width = Math.max(1, this.box.clientWidth * scale), height = canvas.height = MAP_HEIGHT * scale;
		const c = canvas.getContext('2d'), per = Math.min(4 * scale, height / shown.length);
		const all = trace.duration || 1;
		/* Of many spans those that are drawn over each other are left out. */
		const by = Math.max(1, Math.floor(shown.length / (height * 4)));
		c.clearRect(0, 0, width, height);
		for (let at = 0; at < shown.length; at += by) {
			const s = trace.rows[shown[at]];
			c.fillStyle = PALETTE[colourOf(s.service)];
			c.fillRect(width * (s.start - trace.start) / all, at * per, Math.max(scale, width * s.duration / all), Math.max(scale * 0.75, per * 0.8));
		}
		this.mark();
	}

	mark() {
		const {from, to, top = 0, height = 0, shown} = this.timeline;
		this.part.style.left = from * 100 + '%';
		this.part.style.width = (to - from) * 100 + '%';
		this.part.hidden = from === 0 && to === 1;
		const per = Math.min(4, MAP_HEIGHT / shown.length) / ROW;
		this.rows.style.top = top * per + 'px';
		this.rows.style.height = Math.max(3, Math.min(MAP_HEIGHT - top * per, height * per)) + 'px';
		this.rows.hidden = height >= shown.length * ROW;
	}

	drag(e) {
		const bounds = this.box.getBoundingClientRect();
		const at = e => Math.max(0, Math.min(1, (e.clientX - bounds.left) / bounds.width));
		const first = at(e), move = e => {
			if (Math.abs(at(e) - first) > 0.005)
				this.timeline.look(Math.min(first, at(e)), Math.max(first, at(e)));
		};
		const end = () => {
			this.box.removeEventListener('pointermove', move);
			this.box.removeEventListener('pointerup', end);
		};
		this.box.setPointerCapture(e.pointerId);
		this.box.addEventListener('pointermove', move);
		this.box.addEventListener('pointerup', end);
	}
}
