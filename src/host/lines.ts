/** Text as it arrives, line by line, without the line breaks; what follows the last one comes at the end. A line that is longer than `lineChars` is an error. */
export async function* linesOf(chunks: AsyncIterable<string>, lineChars: number): AsyncGenerator<string, void, void> {
  let rest = "";
  for await (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf("\n"); end >= 0; start = end + 1, end = chunk.indexOf("\n", start)) {
      yield rest + chunk.slice(start, end);
      rest = "";
    }
    rest += chunk.slice(start);
    if (rest.length > lineChars) throw new Error(`a line is longer than ${lineChars} characters`);
  }
  if (rest !== "") yield rest;
}
