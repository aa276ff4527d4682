// SPDX-License-Identifier: Apache-2.0
// Parse flowcharts, FILE..., and print how many nodes and edges each has.
import { readFileSync } from 'node:fs';
import { JSDOM } from 'jsdom';

// Labels are sanitised with the document of a page.
const { window } = new JSDOM('');
globalThis.window = window;
globalThis.document = window.document;
const { default: mermaid } = await import('mermaid');

// As the pages of GitHub and others have it, labels may be as long as they are.
mermaid.initialize({ maxTextSize: 1 << 24, maxEdges: 1 << 16 });
for (const name of process.argv.slice(2)) {
  const text = readFileSync(name, 'utf8');
  const { db } = await mermaid.mermaidAPI.getDiagramFromText(text);
  console.log(db.getVertices().size, db.getEdges().length);
}
