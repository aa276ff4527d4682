/*
 * Where services stand: in layers from callers to called, so that most calls
 * go to the right, with few crossings. Layered drawing after Sugiyama: turn
 * calls around that close a circle, put nodes in layers, add nodes where a
 * call passes a layer, order by the mean place of neighbours, then place.
 */
const NODE_W = 150, NODE_H = 40, GAP_X = 110, GAP_Y = 22, SWEEPS = 12;

/* EDGES [{from, to}], between nodes 0..N-1: which ones go back. Depth first. */
function backEdges(n, edges) {
	const out = Array.from({length: n}, () => []), state = new Uint8Array(n), back = new Set(), called = new Uint8Array(n);
	edges.forEach((e, i) => {
		out[e.from].push(i);
		called[e.to] = 1;
	});
	const starts = [...Array(n).keys()].sort((a, b) => called[a] - called[b]);
	for (const start of starts) {
		const stack = state[start] ? [] : [[start, 0]];
		while (stack.length) {
			const top = stack[stack.length - 1], [v, k] = top;
			state[v] = 1;
			if (k === out[v].length) {
				state[v] = 2;
				stack.pop();
				continue;
			}
			top[1]++;
			const to = edges[out[v][k]].to;
			if (state[to] === 1)
				back.add(out[v][k]);
			else if (!state[to])
				stack.push([to, 0]);
		}
	}
	return back;
}

/* The layer of each node is one behind its last caller's. */
function layersOf(n, arcs) {
	const layer = new Int32Array(n), waits = new Int32Array(n), out = Array.from({length: n}, () => []);
	for (const [from, to] of arcs) {
		out[from].push(to);
		waits[to]++;
	}
	const ready = [...Array(n).keys()].filter(v => !waits[v]);
	while (ready.length) {
		const v = ready.pop();
		for (const to of out[v]) {
			layer[to] = Math.max(layer[to], layer[v] + 1);
			if (!--waits[to])
				ready.push(to);
		}
	}
	/* Who calls only one that is far away stands next to it. */
	for (let v = 0; v < n; v++)
		if (out[v].length && !arcs.some(([, to]) => to === v))
			layer[v] = Math.min(...out[v].map(to => layer[to])) - 1;
	return layer;
}

function layout(n, edges, sizeOf) {
	const back = backEdges(n, edges);
	const arcs = edges.map((e, i) => back.has(i) ? [e.to, e.from] : [e.from, e.to]);
	const layer = [...layersOf(n, arcs)], links = [], ways = [];
	arcs.forEach(([from, to], i) => {
		const way = [from];
		for (let l = layer[from] + 1; l < layer[to]; l++) {
			way.push(layer.length);
			layer.push(l);
		}
		way.push(to);
		for (let k = 1; k < way.length; k++)
			links.push([way[k - 1], way[k]]);
		ways[i] = back.has(i) ? way.reverse() : way;
	});
	const ranks = [];
	layer.forEach((l, v) => (ranks[l] = ranks[l] || []).push(v));
	const before = layer.map(() => []), after = layer.map(() => []);
	for (const [from, to] of links) {
		before[to].push(from);
		after[from].push(to);
	}
	order(ranks, before, after);
	return {ways, ...places(ranks, before, after, n, layer, sizeOf)};
}

function order(ranks, before, after) {
	const at = new Map();
	const number = rank => rank.forEach((v, i) => at.set(v, i));
	ranks.forEach(number);
	let best = ranks.map(r => r.slice()), least = crossings(ranks, after, at);
	for (let k = 0; k < SWEEPS && least; k++) {
		const down = k % 2 === 0;
		for (const rank of down ? ranks.slice(1) : ranks.slice(0, -1).reverse()) {
			const mean = new Map(rank.map(v => {
				const near = down ? before[v] : after[v];
				return [v, near.length ? near.reduce((sum, o) => sum + at.get(o), 0) / near.length : at.get(v)];
			}));
			rank.sort((a, b) => mean.get(a) - mean.get(b) || at.get(a) - at.get(b));
			number(rank);
		}
		const now = crossings(ranks, after, at);
		if (now < least) {
			least = now;
			best = ranks.map(r => r.slice());
		}
	}
	best.forEach((r, i) => ranks[i] = r);
}

/* Inversions between neighbouring layers; of very many links an estimate is no use either. */
function crossings(ranks, after, at) {
	let n = 0;
	for (const rank of ranks) {
		const ends = rank.flatMap(v => after[v].map(to => at.get(to)).sort((a, b) => a - b));
		if (ends.length > 3000)
			return 0;
		for (let i = 0; i < ends.length; i++)
			for (let k = i + 1; k < ends.length; k++)
				n += ends[k] < ends[i];
	}
	return n;
}

/* Each near the middle of its neighbours, none over another. */
function places(ranks, before, after, n, layer, sizeOf) {
	const y = new Float64Array(layer.length), height = v => v < n ? sizeOf(v) : 12;
	for (const rank of ranks) {
		let at = 0;
		for (const v of rank) {
			y[v] = at + height(v) / 2;
			at += height(v) + GAP_Y;
		}
		for (const v of rank)
			y[v] -= at / 2;
	}
	for (let k = 0; k < SWEEPS; k++)
		for (const rank of k % 2 ? ranks.slice().reverse() : ranks)
			settle(rank, rank.map(v => {
				const near = k === SWEEPS - 1 ? [...before[v], ...after[v]] : k % 2 ? after[v] : before[v];
				return near.length ? near.reduce((sum, o) => sum + y[o], 0) / near.length : y[v];
			}), y, height);
	const top = Math.min(...Array.from(layer, (l, v) => y[v] - height(v) / 2), 0);
	const x = layer.map(l => l * (NODE_W + GAP_X));
	return {x, y: Array.from(y, v => v - top), width: Math.max(0, ...x) + NODE_W,
		height: Math.max(0, ...Array.from(y, (at, v) => at - top + height(v) / 2))};
}

/* As near to WANTED as the order and the gaps allow: least squares, by pools. */
function settle(rank, wanted, y, height) {
	const pools = [], need = [0];
	for (let i = 1; i < rank.length; i++)
		need[i] = need[i - 1] + (height(rank[i - 1]) + height(rank[i])) / 2 + GAP_Y;
	rank.forEach((v, i) => {
		let pool = {sum: wanted[i] - need[i], n: 1};
		while (pools.length && pools[pools.length - 1].sum / pools[pools.length - 1].n > pool.sum / pool.n) {
			const last = pools.pop();
			pool = {sum: pool.sum + last.sum, n: pool.n + last.n};
		}
		pools.push(pool);
	});
	let i = 0;
	for (const pool of pools)
		for (let k = 0; k < pool.n; k++, i++)
			y[rank[i]] = pool.sum / pool.n + need[i];
}
