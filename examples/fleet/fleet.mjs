// SPDX-License-Identifier: Apache-2.0
// Runs a file of SQL in ./fleet.duckdb and prints the rows of its last statement. The recordings named after it are the SQL's
// variable `recordings`. With --json each row is an object on a line of its own, and integers are texts, which keep all digits.
import { readFileSync } from 'node:fs';
import { DuckDBInstance } from '@duckdb/node-api';

const options = process.argv.slice(2);
const asJson = options[0] === '--json' && options.shift() !== undefined;
const [file, ...recordings] = options;

if (!file) {
	console.error('usage: node fleet.mjs [--json] FILE.sql [RECORDING...]');
	process.exit(2);
}

const text = (value) => (value === null ? '-' : typeof value === 'object' ? JSON.stringify(value) : String(value));

// Names of processes are whatever somebody made them: nothing of them may reach the terminal as a control.
const plain = (name) =>
	name.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (char) => '\\u{' + char.codePointAt(0).toString(16) + '}');

function printTable(names, rows) {
	const cells = [names, ...rows.map((row) => row.map((value) => plain(text(value))))];
	const widths = names.map((_, i) => Math.max(...cells.map((row) => row[i].length)));
	const isNumber = names.map((_, i) => rows.length > 0 && rows.every((row) => /^-?[0-9.]+$|^-$/.test(text(row[i]))));

	for (const row of cells)
		console.log(row.map((cell, i) => (isNumber[i] ? cell.padStart(widths[i]) : cell.padEnd(widths[i]))).join('  ').trimEnd());
}

try {
	const instance = await DuckDBInstance.create('fleet.duckdb');
	const connection = await instance.connect();

	if (recordings.length > 0) {
		const list = recordings.map((name) => `'${name.replaceAll("'", "''")}'`);
		await connection.run(`SET VARIABLE recordings = [${list}]`);
	}
	const result = await connection.runAndReadAll(readFileSync(file, 'utf8'));

	if (asJson)
		result.getRowObjectsJson().forEach((row) => console.log(JSON.stringify(row)));
	else
		printTable(result.columnNames(), result.getRowsJson());
} catch (error) {
	console.error(`fleet.mjs: ${error.message}`);
	process.exit(1);
}
