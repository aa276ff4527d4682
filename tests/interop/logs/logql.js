// SPDX-License-Identifier: Apache-2.0
// Lines of standard input are queries by Grafana's grammar of LogQL; says and
// exits with 1 when one is not.
const { parser } = require("@grafana/lezer-logql");
const { readFileSync } = require("fs");

const queries = readFileSync(0, "utf8").split("\n").filter((line) => line);
for (const query of queries) {
  parser.parse(query).iterate({
    enter: (node) => {
      if (node.type.isError) {
        console.log(`column ${node.from + 1}: ${query}`);
        process.exit(1);
      }
    },
  });
}
console.log(`${queries.length} queries`);
process.exit(queries.length ? 0 : 1);
