// schema.graphql as graphql-js sees it: complete, valid, described; and every ready-made operation fits it.
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildSchema, isInputObjectType, isIntrospectionType, isObjectType, parse, validate, validateSchema } from 'graphql';

const root = fileURLToPath(new URL('../../', import.meta.url));
const faults = [];

const schema = buildSchema(readFileSync(join(root, 'schema.graphql'), 'utf8'));
for (const error of validateSchema(schema)) faults.push(`schema.graphql: ${error.message}`);

// The dataset's own types and fields say what they are in both languages; filters and orderings speak for themselves.
const declared = join(root, 'src/datasets');
const names = new Map();
for (const file of readdirSync(declared).filter((name) => name.endsWith('.graphql'))) {
  for (const definition of parse(readFileSync(join(declared, file), 'utf8')).definitions) {
    if (!('fields' in definition)) continue;
    const fields = names.get(definition.name.value) ?? [];
    names.set(definition.name.value, [...fields, ...definition.fields.map((field) => field.name.value)]);
  }
}
const chinese = /[一-鿿]/;
const english = /[A-Za-z]{2}/;
const bilingual = (text) => chinese.test(text ?? '') && english.test(text ?? '');
let fieldCount = 0;
for (const [name, fields] of names) {
  const type = schema.getType(name);
  if (!isObjectType(type)) {
    faults.push(`schema.graphql: type ${name} is declared in src/datasets and missing here`);
    continue;
  }
  if (!bilingual(type.description)) faults.push(`schema.graphql: ${name} has no description in both languages`);
  for (const fieldName of fields) {
    const field = type.getFields()[fieldName];
    fieldCount += 1;
    if (!field) faults.push(`schema.graphql: ${name}.${fieldName} is declared in src/datasets and missing here`);
    else if (!bilingual(field.description)) faults.push(`schema.graphql: ${name}.${fieldName} has no description in both languages`);
  }
}
for (const type of Object.values(schema.getTypeMap())) {
  if (isIntrospectionType(type) || !(isObjectType(type) || isInputObjectType(type))) continue;
  if (!type.description) faults.push(`schema.graphql: ${type.name} has no description`);
}

const operations = join(root, 'playground/operations');
const files = readdirSync(operations).filter((name) => name.endsWith('.graphql')).sort();
for (const file of files) {
  const text = readFileSync(join(operations, file), 'utf8');
  for (const key of ['title', '標題', 'asks', '說明', 'account', 'purpose']) {
    if (!text.includes(`# ${key}: `)) faults.push(`${file}: the comment in front lacks "${key}"`);
  }
  for (const error of validate(schema, parse(text))) {
    const where = error.locations?.map(({ line, column }) => `${line}:${column}`).join(' ') ?? '';
    faults.push(`${basename(file)}:${where} ${error.message}`);
  }
}

if (faults.length > 0) {
  console.error(faults.join('\n'));
  console.error(`${faults.length} faults`);
  process.exit(1);
}
console.log(`schema.graphql: valid for graphql-js, ${names.size} types with ${fieldCount} fields declared; ${files.length} operations fit it`);
