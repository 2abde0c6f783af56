// Strips what still names a host from package-lock.json (funding links); `npm run lock` calls it.
import { readFileSync, writeFileSync } from 'node:fs';

const path = new URL('package-lock.json', import.meta.url);
const lock = JSON.parse(readFileSync(path, 'utf8'));
for (const entry of Object.values(lock.packages)) delete entry.funding;
const text = `${JSON.stringify(lock, null, 2)}\n`;
if (text.includes('://')) throw new Error('package-lock.json still names a host');
writeFileSync(path, text);
