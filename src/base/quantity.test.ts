import assert from "node:assert/strict";
import { test } from "node:test";
import { addQuantities, canonicalQuantity, compareQuantities, formatQuantity, parseQuantity, QuantityError, quantityMilli, quantityValue, subtractQuantities } from "./quantity.ts";

// What upstream's quantity_test.go and JSON round trips show.
const canonical: readonly (readonly [string | number, string])[] = [
  ["0", "0"], ["0n", "0"], ["0Ki", "0"], ["100m", "100m"], ["1000m", "1"], ["1500m", "1500m"], ["2", "2"], ["1000", "1k"], ["1024", "1024"], ["1024Ki", "1Mi"], ["1000Ki", "1000Ki"], ["512Mi", "512Mi"], ["1536Mi", "1536Mi"], ["2048Mi", "2Gi"],
  ["0.5", "500m"], [0.5, "500m"], [1, "1"], ["1.5Gi", "1536Mi"], ["0.5Ki", "512"], ["0.1Mi", "104857600m"], ["1e3", "1e3"], ["1000e0", "1e3"], ["1E3", "1E3"], ["12e-3", "12e-3"], ["0.3Gi", "322122547200m"], ["1n", "1n"], ["0.1n", "1n"], ["1.1n", "2n"],
  ["-1", "-1"], ["-500m", "-500m"], ["+5", "+5"], ["100000000", "100M"], ["1G", "1G"], ["1000G", "1T"], ["10Ei", "9223372036854775807"], ["64Gi", "64Gi"], ["  1  ", "1"], ["009", "009"], ["1.", "1."],
];
for (const [given, expected] of canonical) test(`the quantity ${JSON.stringify(given)} is kept as ${expected}`, () => assert.equal(canonicalQuantity(given), expected));

for (const [text, message] of [
  ["", "quantities must match the regular expression"], ["x", "quantities must match the regular expression"], ["1x", "quantities must match the regular expression"], ["1 Gi", "quantities must match the regular expression"],
  ["1i", "unable to parse quantity's suffix"], ["1ki", "unable to parse quantity's suffix"], ["1Kk", "unable to parse quantity's suffix"], ["1e", "unable to parse quantity's suffix"], [".", "unable to parse numeric part"], ["1e99999", "unable to parse quantity's suffix"], ["9".repeat(1000), "quantities must match"],
] as const) test(`the quantity ${JSON.stringify(text.slice(0, 12))} is refused`, () => assert.throws(() => parseQuantity(text), (error: Error) => error instanceof QuantityError && error.message.startsWith(message)));

test("quantities compare by amount, across notations", () => {
  assert.ok(compareQuantities("1", "1000m") === 0 && compareQuantities("1Gi", "1G") > 0 && compareQuantities("999m", "1") < 0 && compareQuantities("-1", "0") < 0);
});
test("a sum keeps the notation of what it adds to, or of what is added to nothing", () => {
  assert.equal(formatQuantity(addQuantities("1Gi", "512Mi")), "1536Mi");
  assert.equal(formatQuantity(addQuantities("0", "512Mi")), "512Mi");
  assert.equal(formatQuantity(addQuantities("100m", "900m")), "1");
  assert.equal(formatQuantity(subtractQuantities("1Gi", "512Mi")), "512Mi");
});
test("sums beyond 2^53 are exact", () => assert.equal(formatQuantity(addQuantities("9007199254740993", "1")), "9007199254740994"));
test("values round away from zero", () => assert.deepEqual([quantityValue("100m"), quantityValue("-100m"), quantityMilli("1n"), quantityMilli("1500m"), quantityValue("1Gi")], [1, -1, 1, 1500, 1073741824]));
test("amounts told by their text alone are those that are parsed", () => {
  const texts = ["0", "7", "1000", "123456789", "999999999", "1234567890"].flatMap(digits => ["", "n", "u", "m", "k", "M", "G", "T", "Ki", "Mi", "Gi", "Ti", ".5", "e3"].map(suffix => digits + suffix));
  for (const text of texts) {
    assert.equal(quantityMilli(text), quantityMilli(parseQuantity(text)), text);
    assert.equal(quantityValue(text), quantityValue(parseQuantity(text)), text);
    for (const other of texts) assert.equal(Math.sign(compareQuantities(text, other)), Math.sign(compareQuantities(parseQuantity(text), parseQuantity(other))), `${text} ${other}`);
  }
});
